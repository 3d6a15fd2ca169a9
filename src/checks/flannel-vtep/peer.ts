import type { Evidence, Finding } from '../../engine/finding.ts';
import type { ClusterNodes } from '../../facts/cluster-nodes.ts';
import type { Overlay, OverlayAnswer, OverlayAnswers, TunnelRoute } from '../../facts/overlay.ts';
import { isPrivate } from '../../netfilter/is-private.ts';
import { decisionWords } from '../../netfilter/walk/decision-words.ts';
import type { Firewall } from '../../netfilter/walk/firewall.ts';
import type { NetworkReading } from '../../netfilter/walk/reading.ts';
import { type FlowFate, walkFlow } from '../../netfilter/walk/walk-flow.ts';
import { type Judged, repaired, unrepaired } from './judged.ts';
import type { Peer } from './peers.ts';

interface Seen {
  readonly overlay: Overlay;
  readonly peer: Peer;
  readonly nodes: ClusterNodes & { kind: 'known' };
  readonly network: NetworkReading;
  readonly routes: ReadonlyMap<string, TunnelRoute | null>;
  readonly answers: OverlayAnswers;
  readonly firewall: Firewall;
  /** Whether another check tells what this node's own rules do to tunnel packets. */
  readonly leavesFirewall: boolean;
}

/**
 * Why packets to one node's pods are lost, the first cause that is found. A node whose end of the
 * overlay answers full packets is reached, whatever looks odd about it.
 */
export function judgePeer(seen: Seen): readonly Judged[] {
  const { answers, peer } = seen;
  const answer = answers.kind === 'asked' ? answers.answers.get(peer.inner) : undefined;
  if (answer === 'answered') return judgeOverwrite(seen, answer);
  const judges = [judgeTwin, judgeEntries, judgeRoute, judgeTunnelRoute, judgeOverwrite, judgeAnswer];
  for (const judge of judges) {
    const judged = judge(seen, answer);
    if (judged.length > 0) return judged;
  }
  return [];
}

type Judge = (seen: Seen, answer: OverlayAnswer | undefined) => readonly Judged[];

/** Two nodes that announce one address: each takes the other's packets. */
const judgeTwin: Judge = (seen) => {
  const { peer, nodes } = seen;
  const same = nodes.nodes.filter(
    ({ flannel }) => peer.tunnelAddress !== undefined && flannel.publicIp === peer.tunnelAddress,
  );
  if (same.length < 2) return [];
  const names = same.map(({ name }) => name).join(' and ');
  return [
    unrepaired(
      problem(seen, 'vtep-shared', `${names} announce the same tunnel address ${peer.tunnelAddress}`, [
        { source: annotation('public-ip'), observed: `${peer.tunnelAddress} at ${names}` },
      ]),
      'start k3s on one of them with --flannel-iface or --node-external-ip so that each has its own',
    ),
  ];
};

/** Flannel writes these once, when a node comes or changes; who changed them behind its back wins. */
const judgeEntries: Judge = (seen) => {
  const { overlay, peer } = seen;
  const { mac, tunnelAddress } = peer;
  if (mac === undefined || tunnelAddress === undefined) return [];
  const neighbour = overlay.neighbours?.get(peer.inner) ?? null;
  const ends = overlay.fdb?.get(mac) ?? [];
  const steps = [
    ...(overlay.neighbours !== undefined && neighbour !== mac
      ? [entry(overlay, { table: 'neighbour', key: peer.inner, was: neighbour, value: mac })]
      : []),
    ...(overlay.fdb !== undefined && !ends.includes(tunnelAddress)
      ? [entry(overlay, { table: 'fdb', key: mac, was: ends[0] ?? null, value: tunnelAddress })]
      : []),
  ];
  if (steps.length === 0) return [];
  const evidence = steps.map(({ table, key, was, value }) => ({
    source: table === 'fdb' ? `bridge fdb, ${overlay.link}` : `ip neigh, ${overlay.link}`,
    observed: `${key} → ${was ?? 'nothing'}`,
    expected: `${value}, as the node announces`,
  }));
  const stale = steps.map(({ key, was, value }) => `${key} → ${was ?? 'nothing'}, not ${value}`).join('; ');
  const message = `${overlay.link} sends packets for ${nameOf(seen)} to the wrong place: ${stale}`;
  return [repaired(problem(seen, 'vtep-stale-entry', message, evidence), steps)];
};

function entry(
  { link }: Overlay,
  change: { table: 'neighbour' | 'fdb'; key: string; was: string | null; value: string },
) {
  return { kind: 'link-entry' as const, link, ...change };
}

/** The route to the node's pods, which Flannel makes together with those entries. */
const judgeRoute: Judge = (seen) => {
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
const judgeTunnelRoute: Judge = (seen, answer) => {
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

/** k3s sets the annotation from its flags, and never takes it away again. */
const judgeOverwrite: Judge = (seen) => {
  const { node } = seen.peer;
  const { publicIpOverwrite } = node.flannel;
  if (seen.overlay.family !== 'ipv4' || publicIpOverwrite === undefined) return [];
  const own = [...node.externalAddresses, ...node.internalAddresses];
  if (own.includes(publicIpOverwrite)) return [];
  const message = `${node.name} is told to announce ${publicIpOverwrite}, which is none of its addresses any more`;
  return [
    unrepaired(
      problem(seen, 'vtep-stale-overwrite', message, [
        {
          source: annotation('public-ip-overwrite'),
          observed: publicIpOverwrite,
          expected: own.length > 0 ? `one of ${own.join(', ')}` : 'none',
        },
      ]),
      `kubectl annotate node ${node.name} flannel.alpha.coreos.com/public-ip-overwrite- and then restart k3s there`,
    ),
  ];
};

/** No cause was found here: what is left is on the way, or at the other end. */
const judgeAnswer: Judge = (seen, answer) => {
  const { peer, overlay } = seen;
  const evidence = [{ source: `ping ${peer.inner} over ${overlay.link}`, observed: answer ?? 'not asked' }];
  const fate = walkTunnel(seen);
  if (answer === 'silent' && fate?.end && fate.verdict !== 'pass' && fate.verdict !== 'unknown') {
    if (seen.leavesFirewall) return [];
    const message = `this node drops the tunnel packets of ${nameOf(seen)}: ${decisionWords(fate.end.decidedBy)}`;
    return [
      unrepaired(
        problem(seen, 'vtep-silent', message, evidence),
        'switch ufw-overlay on: it opens what is missing',
      ),
    ];
  }
  if (answer === 'silent') {
    const message = `${nameOf(seen)} does not answer over the overlay, and nothing on this node says why`;
    const todo = `run "doctor check ufw-overlay flannel-vtep" there: its firewall, or one between, may drop ${overlay.port}/udp from ${overlay.local ?? 'here'}`;
    return [unrepaired(problem(seen, 'vtep-silent', message, evidence), todo)];
  }
  if (answer !== 'small-only') return [];
  const message = `${nameOf(seen)} gets small packets over the overlay, and no full ones (MTU ${overlay.mtu})`;
  const todo = 'make the MTU of the links between the nodes the same, or lower the one of the overlay';
  return [unrepaired(problem(seen, 'vtep-mtu', message, evidence), todo)];
};

/** What this node's own rules do to the packets that the other one sends. */
function walkTunnel({ firewall, overlay, peer }: Seen): FlowFate | undefined {
  const { family, local, port } = overlay;
  const { tunnelAddress } = peer;
  if (local === undefined || tunnelAddress === undefined) return undefined;
  if (isIpv6(local) !== isIpv6(tunnelAddress)) return undefined;
  const flow = {
    family,
    source: tunnelAddress,
    destination: local,
    protocol: 'udp',
    ports: [port, port],
    sourcePorts: [32_768, 60_999],
  } as const;
  return walkFlow(firewall, flow, 'NEW');
}

function isIpv6(address: string): boolean {
  return address.includes(':');
}

function problem(
  { peer }: Seen,
  code: string,
  message: string,
  evidence: readonly Evidence[],
): Omit<Finding, 'remedy'> {
  const isCertain = code !== 'vtep-stale-overwrite';
  return {
    code,
    subject: `node ${peer.node.name} ${peer.podCidr}`,
    severity: isCertain ? 'error' : 'warning',
    message,
    effect: 'loses',
    evidence,
  };
}

function nameOf({ peer }: Seen): string {
  return `node ${peer.node.name}`;
}

function annotation(name: string): string {
  return `annotation flannel.alpha.coreos.com/${name}`;
}

function addressesBesides({ peer }: Seen): string {
  const { externalAddresses, internalAddresses } = peer.node;
  return [...externalAddresses, ...internalAddresses]
    .filter((each) => each !== peer.tunnelAddress)
    .join(', ');
}
