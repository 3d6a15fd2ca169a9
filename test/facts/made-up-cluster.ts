import type { ClusterNodes, NodeFacts } from '../../src/facts/cluster-nodes.ts';
import type { Link, NetworkReading, Route } from '../../src/netfilter/walk/reading.ts';

type NodeSpec = Partial<Omit<NodeFacts, 'flannel'>> & {
  readonly name: string;
  readonly flannel?: Partial<NodeFacts['flannel']>;
};

/** A VXLAN node that is ready, whose tunnel address is its internal one. */
export function node({ flannel, ...spec }: NodeSpec): NodeFacts {
  const addresses = spec.internalAddresses ?? [];
  return {
    ready: true,
    internalAddresses: [],
    externalAddresses: [],
    podCidrs: [],
    labels: {},
    taints: [],
    unschedulable: false,
    version: undefined,
    controlPlane: false,
    etcd: false,
    ...spec,
    flannel: {
      backend: 'vxlan',
      publicIp: addresses.find((address) => !address.includes(':')),
      publicIpv6: undefined,
      publicIpOverwrite: undefined,
      vtepMac: undefined,
      vtepMacV6: undefined,
      ...flannel,
    },
  };
}

/** The first of them is this node. */
export function cluster(...nodes: readonly NodeFacts[]): ClusterNodes {
  return { kind: 'known', nodes, self: nodes[0], source: 'a made-up API' };
}

/** One link, eth0, with these addresses, their networks and a default route. */
export function network(...addresses: readonly string[]): NetworkReading {
  const all = addresses.map(addressOf);
  const families = [...new Set(all.map(({ family }) => family))];
  return {
    links: [loopback, { ...loopback, index: 2, name: 'eth0', loopback: false, addresses: all }],
    routes: [
      { ...route, family: 'ipv4', table: 'local', type: 'local', destination: '127.0.0.0/8', link: 'lo' },
      ...all.flatMap(({ family, address, prefixLength }): Route[] => [
        { ...route, family, destination: networkOf(address, prefixLength) },
        {
          ...route,
          family,
          table: 'local',
          type: 'local',
          destination: `${address}/${family === 'ipv4' ? 32 : 128}`,
        },
      ]),
      ...families.map((family) => ({
        ...route,
        family,
        destination: family === 'ipv4' ? '0.0.0.0/0' : '::/0',
        gateway: family === 'ipv4' ? '192.0.2.254' : 'fe80::1',
      })),
    ],
    policyRouting: false,
    forwarding: { ipv4: true, ipv6: true },
  };
}

const loopback: Link = {
  index: 1,
  name: 'lo',
  kind: undefined,
  up: true,
  loopback: true,
  mtu: 1500,
  mac: undefined,
  master: undefined,
  addresses: [],
};

const route: Omit<Route, 'family' | 'destination'> = {
  table: 'main',
  type: 'unicast',
  link: 'eth0',
  gateway: undefined,
  preferredSource: undefined,
  metric: 0,
};

function addressOf(text: string) {
  const [address = '', length = ''] = text.split('/');
  const family = address.includes(':') ? ('ipv6' as const) : ('ipv4' as const);
  return { family, address, prefixLength: Number(length), broadcast: undefined, scope: 'global' };
}

/** Prefixes of 24 and 64 alone. */
function networkOf(address: string, length: number): string {
  return length === 64 ? `${address.replace(/::.*$/, '')}::/64` : `${address.replace(/\.\d+$/, '.0')}/24`;
}
