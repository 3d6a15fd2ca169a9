import { describe, expect, test } from 'vitest';
import { type Config, defaultConfig } from '../../src/config/config.ts';
import { type ClusterFlows, clusterFlowsFact } from '../../src/facts/cluster-flows.ts';
import type { ClusterNodes } from '../../src/facts/cluster-nodes.ts';
import type { NetworkReading } from '../../src/netfilter/walk/reading.ts';
import { givenFacts } from './given-facts.ts';
import { cluster, network, node } from './made-up-cluster.ts';

interface Given {
  readonly nodes: ClusterNodes;
  readonly links?: NetworkReading;
  readonly registry?: boolean;
  readonly servedAt?: readonly number[];
  readonly settings?: Partial<Config['checks']['ufw-overlay']>;
}

async function flows({ nodes, links, registry = false, servedAt = [], settings }: Given) {
  const defaults = defaultConfig();
  const checks = { ...defaults.checks, 'ufw-overlay': { ...defaults.checks['ufw-overlay'], ...settings } };
  const context = await givenFacts(
    {
      'cluster-nodes': nodes,
      network: links ?? network('10.0.0.1/24'),
      'embedded-registry': registry,
      'api-access': { servedAt, servers: [] },
    },
    { ...defaults, checks },
  );
  return context.get(clusterFlowsFact);
}

/** `10.0.0.2 → 10.0.0.1 8472/udp` */
function printed({ needed }: ClusterFlows): readonly string[] {
  return needed.map(({ source, destination, flow }) => `${source} → ${destination} ${flow.name}`);
}

const n1 = node({ name: 'n1', internalAddresses: ['10.0.0.1'] });
const n2 = node({ name: 'n2', internalAddresses: ['10.0.0.2'] });
const server1 = { ...n1, controlPlane: true, etcd: true };

describe('what another node needs', () => {
  test('of an agent: the overlay and kubelet', async () => {
    const found = await flows({ nodes: cluster(n1, n2) });
    expect(printed(found)).toEqual(['10.0.0.2 → 10.0.0.1 8472/udp', '10.0.0.2 → 10.0.0.1 10250/tcp']);
    expect(found.undetermined).toEqual([]);
  });

  test('of a server: the API too, and etcd if it is one itself', async () => {
    const n3 = node({ name: 'n3', internalAddresses: ['10.0.0.3'], controlPlane: true, etcd: true });
    expect(printed(await flows({ nodes: cluster(server1, n2, n3) }))).toEqual([
      '10.0.0.2 → 10.0.0.1 8472/udp',
      '10.0.0.2 → 10.0.0.1 6443/tcp',
      '10.0.0.2 → 10.0.0.1 10250/tcp',
      '10.0.0.3 → 10.0.0.1 8472/udp',
      '10.0.0.3 → 10.0.0.1 6443/tcp',
      '10.0.0.3 → 10.0.0.1 2379-2380/tcp',
      '10.0.0.3 → 10.0.0.1 10250/tcp',
    ]);
  });

  test('of a server that serves the API at another port: that one', async () => {
    expect(printed(await flows({ nodes: cluster(server1, n2), servedAt: [7443] }))).toContain(
      '10.0.0.2 → 10.0.0.1 7443/tcp',
    );
  });

  test.each([
    ['vxlan', ['8472/udp']],
    ['wireguard', ['51820/udp']],
    ['host-gw', []],
    ['ipsec', ['ESP', '500/udp', '4500/udp']],
    ['extension', []],
    [undefined, []],
  ])('with Flannel backend %s', async (backend, expected) => {
    const self = { ...n1, flannel: { ...n1.flannel, backend } };
    const peer = { ...n2, flannel: { ...n2.flannel, backend } };
    const { needed } = await flows({ nodes: cluster(self, peer) });
    expect(needed.map(({ flow }) => flow.name)).toEqual([...expected, '10250/tcp']);
  });

  test('with both families: the overlay in both, WireGuard at a port of its own', async () => {
    const flannel = { ...n1.flannel, backend: 'wireguard', publicIpv6: 'fd00::1' };
    const self = { ...n1, internalAddresses: ['10.0.0.1', 'fd00::1'], flannel };
    const peer = {
      ...n2,
      internalAddresses: ['10.0.0.2', 'fd00::2'],
      flannel: { ...flannel, publicIp: '10.0.0.2', publicIpv6: 'FD00:0::2' },
    };
    const links = network('10.0.0.1/24', 'fd00::1/64');
    expect(printed(await flows({ nodes: cluster(self, peer), links }))).toEqual([
      '10.0.0.2 → 10.0.0.1 51820/udp',
      'fd00::2 → fd00::1 51821/udp',
      '10.0.0.2 → 10.0.0.1 10250/tcp',
    ]);
  });

  test('the overlay comes from the address that Flannel announces, the rest from the internal one', async () => {
    const self = { ...n1, flannel: { ...n1.flannel, publicIp: '198.51.100.1' } };
    const peer = { ...n2, flannel: { ...n2.flannel, publicIp: '198.51.100.2' } };
    const links = network('10.0.0.1/24', '198.51.100.1/24');
    expect(printed(await flows({ nodes: cluster(self, peer), links }))).toEqual([
      '198.51.100.2 → 198.51.100.1 8472/udp',
      '10.0.0.2 → 10.0.0.1 10250/tcp',
    ]);
  });

  test('behind a NAT it arrives at the address that is on a link', async () => {
    const self = { ...n1, flannel: { ...n1.flannel, publicIp: '198.51.100.1' } };
    const peer = { ...n2, flannel: { ...n2.flannel, publicIp: '198.51.100.2' } };
    expect(printed(await flows({ nodes: cluster(self, peer) }))).toContain(
      '198.51.100.2 → 10.0.0.1 8472/udp',
    );
  });

  test('a node behind a NAT of its own comes from its external address', async () => {
    const self = node({ name: 'n1', internalAddresses: ['198.51.100.1'] });
    const worker = node({
      name: 'n2',
      internalAddresses: ['172.31.39.213'],
      externalAddresses: ['203.0.113.9'],
    });
    const links = network('198.51.100.1/24');
    expect(printed(await flows({ nodes: cluster(self, worker), links }))).toEqual([
      '203.0.113.9 → 198.51.100.1 8472/udp',
      '203.0.113.9 → 198.51.100.1 10250/tcp',
    ]);
    const private_ = network('198.51.100.1/24', '172.31.39.1/24');
    expect(printed(await flows({ nodes: cluster(self, worker), links: private_ }))).toEqual([
      '172.31.39.213 → 198.51.100.1 8472/udp',
      '172.31.39.213 → 198.51.100.1 10250/tcp',
    ]);
  });

  test('shared images take the embedded registry, at an agent too', async () => {
    const { needed } = await flows({ nodes: cluster(n1, n2), registry: true });
    expect(needed.map(({ flow }) => flow.name)).toEqual(['8472/udp', '6443/tcp', '10250/tcp', '5001/tcp']);
  });

  test('what the profiles say besides, each flow once', async () => {
    const settings = { profiles: ['ipsec', 'ipsec-ah', 'docker-overlay'] as const };
    const { needed } = await flows({ nodes: cluster(n1, n2), settings });
    expect(needed.map(({ flow }) => flow.name)).toEqual([
      ...['8472/udp', 'ESP', '500/udp', '4500/udp', 'AH', '4789/udp', '7946/tcp', '7946/udp'],
      '10250/tcp',
    ]);
  });
});

describe('hosts of the configuration', () => {
  const settings = { peers: ['10.0.0.77', 'FD00:0::77'], profiles: ['ipsec'] as const };

  test('need what the profiles say, and nothing of the cluster', async () => {
    const links = network('10.0.0.1/24', 'fd00::1/64');
    const found = await flows({ nodes: cluster(n1), links, settings });
    expect(printed(found)).toEqual([
      ...['ESP', '500/udp', '4500/udp'].map((flow) => `10.0.0.77 → 10.0.0.1 ${flow}`),
      ...['ESP', '500/udp', '4500/udp'].map((flow) => `fd00::77 → fd00::1 ${flow}`),
    ]);
  });

  test('are looked at even if the API is out of reach', async () => {
    const nodes = { kind: 'unavailable', reason: 'connection refused' } as const;
    const found = await flows({ nodes, settings: { ...settings, peers: ['10.0.0.77'] } });
    expect(printed(found)).toHaveLength(3);
    expect(found.undetermined).toEqual(['the nodes of the cluster are not known: connection refused']);
  });

  test('that cannot reach this node in their family are named', async () => {
    const found = await flows({ nodes: cluster(n1), settings });
    expect(found.undetermined).toEqual([
      'this node has no IPv6 address that fd00::77 could send to: it was not judged',
    ]);
  });

  test('without a profile need nothing, which is said', async () => {
    const found = await flows({ nodes: cluster(n1), settings: { peers: ['10.0.0.77'] } });
    expect(found.needed).toEqual([]);
    expect(found.undetermined).toEqual([
      'checks.ufw-overlay.peers is set and profiles is not: nothing is known that those hosts need',
    ]);
  });
});

describe('what cannot be told is a line, and nothing is needed of it', () => {
  test.each([
    [
      'this node is not among the nodes',
      { ...cluster(n2), self: undefined },
      'this node is not among the nodes of the cluster (n2): what they need of it is not known',
    ],
    [
      'a node without addresses',
      cluster(n1, node({ name: 'n9' })),
      'node n9 has no address: what it needs was not judged',
    ],
    [
      'two nodes with one address',
      cluster(n1, n2, { ...n2, name: 'n3' }),
      'nodes n2 and n3 have the same address 10.0.0.2: what n2 needs was not judged',
    ],
    [
      'a node with an address of ours',
      cluster(n1, { ...n1, name: 'n3' }),
      'nodes n1 and n3 have the same address 10.0.0.1: what n3 needs was not judged',
    ],
    [
      'a node of the other family alone',
      cluster(n1, node({ name: 'n6', internalAddresses: ['fd00::6'] })),
      'node n6 has IPv6 addresses alone and this node IPv4: what it needs was not judged',
    ],
  ])('%s', async (_name, nodes, line) => {
    const found = await flows({ nodes });
    expect(found.undetermined).toContain(line);
    expect(found.needed).toEqual([]);
  });
});
