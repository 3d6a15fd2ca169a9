import type { PodNetwork } from '../../facts/pod-network.ts';
import type { Family } from '../../netfilter/ruleset.ts';
import { isWithin, parseAddress, parseNetwork } from '../../netfilter/walk/addresses.ts';
import type { Transport } from '../../netfilter/walk/packet.ts';
import type { FirewallReading, Route } from '../../netfilter/walk/reading.ts';
import { spareAddresses } from './spare-addresses.ts';

export type KnownPods = Extract<PodNetwork, { kind: 'known' }>;

/** Traffic of pods that this node has to forward. */
export interface PodFlow {
  /** `pods here → pods elsewhere`, the same words for both families. */
  readonly name: string;
  readonly family: Family;
  readonly inLink: string;
  readonly outLink: string;
  readonly source: string;
  readonly destination: string;
  /** What stands for all of it. */
  readonly transports: readonly Transport[];
  /** False: the sender is outside of the cluster. */
  readonly fromPod: boolean;
}

export interface PodFlows {
  readonly flows: readonly PodFlow[];
  /** What is not there to be walked, and why; a line each. */
  readonly notes: readonly string[];
}

/** What pods send and receive, with addresses that no pod has: policies are about pods that there are. */
export function podFlows(pods: KnownPods, reading: FirewallReading): PodFlows {
  const perFamily = pods.podCidrs.map((podCidr) => flowsOf(podCidr, pods, reading));
  return {
    flows: perFamily.flatMap(({ flows }) => flows),
    notes: perFamily.flatMap(({ notes }) => notes),
  };
}

/** Of all nodes' pods; where that is not known, of this node's. */
export function clusterCidrOf(family: Family, { podCidrs, clusterCidrs }: KnownPods): string {
  const ofFamily = (cidr: string) => cidr.includes(':') === (family === 'ipv6');
  return clusterCidrs.find(ofFamily) ?? podCidrs.find(ofFamily) ?? '';
}

function flowsOf(podCidr: string, pods: KnownPods, reading: FirewallReading): PodFlows {
  const family: Family = podCidr.includes(':') ? 'ipv6' : 'ipv4';
  const { bridge } = pods;
  const [here = '', alsoHere = ''] = spareAddresses(podCidr, family, reading);
  const routes = (reading.network.routes ?? []).filter((route) => route.family === family);
  const elsewhere = findElsewhere(podCidr, { pods, family, routes, reading });
  const outside = outsideLink(routes, pods);
  const world = strangers[family];
  const flow = (name: string, inLink: string, outLink: string, more: Partial<PodFlow>): PodFlow => ({
    ...{ name, family, inLink, outLink, source: here, destination: here },
    ...{ transports: anything, fromPod: true, ...more },
  });
  const flows = [
    flow('pods here → pods here', bridge, bridge, { destination: alsoHere }),
    ...(elsewhere
      ? [
          flow('pods here → pods elsewhere', bridge, elsewhere.link, { destination: elsewhere.address }),
          flow('pods elsewhere → pods here', elsewhere.link, bridge, { source: elsewhere.address }),
        ]
      : []),
    ...(outside === undefined
      ? []
      : [
          flow('pods here → outside', bridge, outside, { destination: world, transports: common }),
          flow('outside → pods here', outside, bridge, { source: world, fromPod: false }),
        ]),
    ...(elsewhere && outside !== undefined
      ? [
          flow('outside → pods elsewhere', outside, elsewhere.link, {
            source: world,
            destination: elsewhere.address,
            fromPod: false,
          }),
        ]
      : []),
  ];
  const name = family === 'ipv4' ? 'IPv4' : 'IPv6';
  const notes = [
    ...(elsewhere ? [] : [`${name}: nothing leads to pods on other nodes: that was not walked`]),
    ...(outside === undefined ? [`${name}: there is no default route: the outside was not walked`] : []),
  ];
  return { flows, notes };
}

/** Ports that nobody writes a rule about: what stops these stops every other. */
const anything = [
  { protocol: 'tcp', sourcePort: 47_322, destinationPort: 47_321 },
  { protocol: 'udp', sourcePort: 47_322, destinationPort: 47_321 },
] as const satisfies readonly Transport[];

/** Who lets pods out to some ports alone has his reasons; who does not let them out to these has not. */
const common = [
  { protocol: 'tcp', sourcePort: 47_322, destinationPort: 443 },
  { protocol: 'udp', sourcePort: 47_322, destinationPort: 53 },
] as const satisfies readonly Transport[];

/** Reserved for documentation (RFC 5737, RFC 3849). */
const strangers = { ipv4: '203.0.113.7', ipv6: '2001:db8::7' } as const;

interface Surroundings {
  readonly pods: KnownPods;
  readonly family: Family;
  readonly routes: readonly Route[];
  readonly reading: FirewallReading;
}

/** An address of another node's pods and the link that leads there: by a route, else over the overlay's own link. */
function findElsewhere(podCidr: string, { pods, family, routes, reading }: Surroundings) {
  const own = parseNetwork(podCidr, family);
  const cluster = parseNetwork(clusterCidrOf(family, pods), family);
  const isElsewhere = (address: Uint8Array) =>
    own && cluster && !isWithin(address, own) && isWithin(address, cluster);
  const route = routes.find(({ type, destination, link, gateway }) => {
    const network = parseNetwork(destination, family);
    const leadsOn = type === 'unicast' && link !== undefined && gateway !== undefined;
    return leadsOn && network !== undefined && isElsewhere(network.address);
  });
  const [atRoute] = route ? spareAddresses(route.destination, family, reading) : [];
  if (route?.link !== undefined && atRoute !== undefined) return { address: atRoute, link: route.link };
  const { overlayLinks } = pods;
  const link = overlayLinks.find((name) => name.includes('v6') === (family === 'ipv6')) ?? overlayLinks[0];
  const address = spareAddresses(clusterCidrOf(family, pods), family, reading).find((each) => {
    const bytes = parseAddress(each, family);
    return bytes !== undefined && isElsewhere(bytes);
  });
  return link === undefined || address === undefined ? undefined : { address, link };
}

function outsideLink(routes: readonly Route[], { bridge, overlayLinks }: KnownPods): string | undefined {
  const isDefault = ({ destination }: Route) => destination === '0.0.0.0/0' || destination === '::/0';
  const [first] = routes
    .filter((route) => isDefault(route) && route.type === 'unicast' && route.table === 'main')
    .filter(({ link }) => link !== undefined && link !== bridge && !overlayLinks.includes(link))
    .sort((a, b) => a.metric - b.metric);
  return first?.link;
}
