import type { Evidence } from '../../engine/finding.ts';
import { unrepaired } from '../../engine/judged.ts';
import type { TunnelRoute } from '../../facts/overlay.ts';
import { isPrivate } from '../../netfilter/is-private.ts';
import type { NetworkReading } from '../../netfilter/walk/reading.ts';
import { annotation, type Judge, nameOf, problem, type Seen } from './seen.ts';

/** The route to the node's pods, which Flannel makes together with those entries. */
export const judgeRoute: Judge = (seen) => {
  const { overlay, peer, network } = seen;
  if (network.routes === undefined) return [];
  const found = network.routes.filter(({ destination }) => destination === peer.podCidr);
  // With direct routing Flannel sends straight to a node that is on the same link.
  if (found.some(({ link, gateway }) => link === overlay.link || gateway === peer.tunnelAddress)) return [];
  const other = found.map(({ link }) => link ?? 'nowhere').join(', ');
  const message =
    other === ''
      ? `there is no route to the pods of ${nameOf(seen)} (${peer.podCidr})`
      : `the pods of ${nameOf(seen)} (${peer.podCidr}) are routed over ${other}, not over ${overlay.link}`;
  return [
    unrepaired(
      problem(seen, 'vtep-no-route', message, [
        { source: 'ip route', observed: other === '' ? 'no route' : `over ${other}`, expected: overlay.link },
      ]),
      'restart k3s on this node: Flannel makes its routes when it starts',
    ),
  ];
};

/** A private address behind the default route of a public link: the provider's routers drop it. */
export const judgeTunnelRoute: Judge = (seen, answer) => {
  const { peer, routes, network } = seen;
  const { tunnelAddress } = peer;
  if (tunnelAddress === undefined) return [];
  const route = routes.get(tunnelAddress);
  if (route === undefined) return [];
  const todo = `start k3s on ${peer.node.name} with an address that this node can reach: --flannel-iface LINK, or --node-external-ip ADDRESS there and --flannel-external-ip on the servers`;
  const others = addressesBesides(seen);
  const evidence: Evidence[] = [
    {
      source: annotation('public-ip'),
      observed: tunnelAddress,
      ...(others && { expected: `one of ${others}` }),
    },
  ];
  if (route === null) {
    const message = `the tunnel to ${nameOf(seen)} goes to ${tunnelAddress}, and there is no route to it`;
    evidence.push({ source: 'ip route get', observed: `${tunnelAddress}: unreachable` });
    return [unrepaired(problem(seen, 'vtep-unreachable', message, evidence), todo)];
  }
  if (!isPrivate(tunnelAddress) || route.gateway === undefined) return [];
  if (!isDefaultRoute(route, network) || !hasPublicAddress(route.link, network)) return [];
  const message = `the tunnel to ${nameOf(seen)} goes to ${tunnelAddress}, a private address, over the public link ${route.link}`;
  evidence.push({
    source: 'ip route get',
    observed: `${tunnelAddress} by ${route.gateway} over ${route.link}: the default route`,
  });
  evidence.push({ source: `ping ${peer.inner}`, observed: answer ?? 'not asked' });
  const finding = problem(seen, 'vtep-unreachable', message, evidence);
  const wasAsked = answer === 'silent' || answer === 'small-only';
  return [unrepaired({ ...finding, severity: wasAsked ? 'error' : 'warning' }, todo)];
};

function isDefaultRoute({ link, gateway }: TunnelRoute, { routes = [] }: NetworkReading): boolean {
  return routes.some(
    ({ destination, link: over, gateway: by }) => /\/0$/.test(destination) && over === link && by === gateway,
  );
}

function hasPublicAddress(link: string, { links = [] }: NetworkReading): boolean {
  return links.some(
    ({ name, addresses }) =>
      name === link && addresses.some(({ address, scope }) => scope === 'global' && !isPrivate(address)),
  );
}

function addressesBesides({ peer }: Seen): string {
  const { externalAddresses, internalAddresses } = peer.node;
  return [...externalAddresses, ...internalAddresses]
    .filter((each) => each !== peer.tunnelAddress)
    .join(', ');
}
