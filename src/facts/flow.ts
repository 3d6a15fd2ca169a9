import type { Severity } from '../engine/finding.ts';
import type { Family } from '../netfilter/ruleset.ts';

/** Something that one host of the cluster sends to another, and that the other's firewall has to let in. */
export interface Flow {
  /** `8472/udp`, `2379-2380/tcp`, `ESP`. */
  readonly name: string;
  /** `VXLAN`, `API`, `etcd`, ... */
  readonly title: string;
  readonly protocol: 'tcp' | 'udp' | 'esp' | 'ah';
  /** The first and the last of them. */
  readonly ports: readonly [number, number] | undefined;
  /** Some from which it is sent: the ends of what Linux picks from, where any will do. */
  readonly sourcePorts: readonly number[];
  /** What does not work where it is blocked. */
  readonly hurts: string;
  readonly severity: Severity;
}

/** A flow that this node has to let in from one address. */
export interface NeededFlow {
  readonly flow: Flow;
  readonly family: Family;
  /** The other node's name; undefined: an address of the configuration's. */
  readonly node: string | undefined;
  readonly source: string;
  /** This node's address that it is sent to. */
  readonly destination: string;
}

const anyPort = [32_768, 60_999];
const pods = 'pods there and pods here do not reach each other';
const tunnel = 'the encrypted tunnel between the two hosts stays down';
const swarm = "containers of the two hosts' overlay network do not reach each other";

export const vxlan = flow(8472, 'udp', { title: 'VXLAN', hurts: pods });
export const wireguard = flow(51_820, 'udp', {
  title: 'WireGuard',
  hurts: pods,
  sourcePorts: [51_820, 60_999],
});
export const wireguardIpv6 = flow(51_821, 'udp', {
  title: 'WireGuard',
  hurts: pods,
  sourcePorts: [51_821, 60_999],
});
export function api(port: number): Flow {
  return flow(port, 'tcp', {
    title: 'Kubernetes API',
    hurts: 'that node does not get to this API server: it turns NotReady, its pods are stuck',
  });
}
export const supervisor = flow(6443, 'tcp', {
  title: 'embedded registry',
  hurts: 'images are not shared with that node',
  severity: 'warning',
});
export const etcd: Flow = {
  ...flow(2379, 'tcp', { title: 'etcd', hurts: 'that server loses touch with etcd here: quorum is at risk' }),
  name: '2379-2380/tcp',
  ports: [2379, 2380],
};
export const kubelet = flow(10_250, 'tcp', {
  title: 'kubelet',
  hurts: 'no metrics of this node, and no logs or exec where they go there directly',
  severity: 'warning',
});
export const spegel = flow(5001, 'tcp', {
  title: 'embedded registry',
  hurts: 'images are not shared with that node',
  severity: 'warning',
});
const esp = portless('esp', { title: 'IPsec', hurts: tunnel });
const ah = portless('ah', { title: 'IPsec', hurts: tunnel });
const ike = flow(500, 'udp', { title: 'IKE', hurts: tunnel, sourcePorts: [500] });
const natTraversal = flow(4500, 'udp', {
  title: 'IPsec behind NAT',
  hurts: tunnel,
  sourcePorts: [4500, 60_999],
});
const swarmVxlan = flow(4789, 'udp', { title: "Docker's VXLAN", hurts: swarm });
const gossip = { title: "Docker's gossip", hurts: swarm };

/** What the hosts need of each other besides the cluster itself, by the profiles of the configuration. */
export const profileFlows = {
  ipsec: [esp, ike, natTraversal],
  'ipsec-ah': [ah],
  'docker-overlay': [esp, ike, swarmVxlan, flow(7946, 'tcp', gossip), flow(7946, 'udp', gossip)],
} as const satisfies Record<string, readonly Flow[]>;

type About = Pick<Flow, 'title' | 'hurts'> & Partial<Pick<Flow, 'severity' | 'sourcePorts'>>;

function flow(port: number, protocol: 'tcp' | 'udp', about: About): Flow {
  return {
    name: `${port}/${protocol}`,
    protocol,
    ports: [port, port],
    sourcePorts: anyPort,
    severity: 'error',
    ...about,
  };
}

function portless(protocol: 'esp' | 'ah', about: About): Flow {
  return {
    name: protocol.toUpperCase(),
    protocol,
    ports: undefined,
    sourcePorts: [],
    severity: 'error',
    ...about,
  };
}
