import { describe, expect, test } from 'vitest';
import { parseClusterDns } from '../../src/kube/cluster-dns.ts';
import { type ClusterNode, parseNodes } from '../../src/kube/nodes.ts';

const silent: Omit<ClusterNode, 'name'> = {
  ready: false,
  internalAddresses: [],
  externalAddresses: [],
  podCidrs: [],
  labels: {},
  taints: [],
  unschedulable: false,
  version: undefined,
  controlPlane: false,
  etcd: false,
  flannel: {
    backend: undefined,
    publicIp: undefined,
    publicIpv6: undefined,
    publicIpOverwrite: undefined,
    vtepMac: undefined,
    vtepMacV6: undefined,
  },
};

describe('a node', () => {
  test('is ready when its condition says so, and has its addresses', () => {
    const body = list(
      node('a', { type: 'Ready', status: 'True' }),
      node('b', { type: 'Ready', status: 'Unknown' }),
      node('c', { type: 'MemoryPressure', status: 'True' }),
    );
    const addresses = {
      internalAddresses: ['192.168.60.1', 'fd00:60::1'],
      externalAddresses: ['203.0.113.7'],
    };
    expect(parseNodes(body)).toEqual({
      kind: 'parsed',
      nodes: [
        { ...silent, name: 'a', ready: true, ...addresses },
        { ...silent, name: 'b', ready: false, ...addresses },
        { ...silent, name: 'c', ready: false, ...addresses },
      ],
    });
  });

  test.each([
    ['that has said nothing yet', { metadata: { name: 'new' } }],
    [
      'whose every field is null',
      {
        metadata: { name: 'new', labels: null, annotations: null },
        spec: { podCIDR: null, podCIDRs: null, taints: null, unschedulable: null },
        status: { addresses: null, conditions: null, nodeInfo: null },
      },
    ],
    ['of which nothing but a name is there', { metadata: { name: 'new' }, spec: null, status: null }],
  ])('%s is not ready', (_which, object) => {
    expect(parseNodes(list(object))).toEqual({ kind: 'parsed', nodes: [{ ...silent, name: 'new' }] });
  });

  test.each([
    ['control-plane', { controlPlane: true, etcd: false }],
    ['master', { controlPlane: true, etcd: false }],
    ['etcd', { controlPlane: false, etcd: true }],
    ['worker', { controlPlane: false, etcd: false }],
  ])('with the role %s', (role, expected) => {
    const labels = { [`node-role.kubernetes.io/${role}`]: 'true', 'kubernetes.io/hostname': 'a' };
    expect(only({ metadata: { name: 'a', labels } })).toMatchObject(expected);
  });

  test('has its labels, its version, and what keeps pods away from it', () => {
    const labels = { 'kubernetes.io/hostname': 'a', 'node-role.kubernetes.io/control-plane': 'true' };
    const taints = [
      { key: 'CriticalAddonsOnly', value: 'true', effect: 'NoExecute' },
      { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: '2026-11-20T18:35:54Z' },
      { key: 'null', value: null, effect: 'PreferNoSchedule' },
    ];
    const spec = { unschedulable: true, taints };
    const status = { nodeInfo: { kubeletVersion: 'v1.34.2+k3s1', kernelVersion: '6.8.0' } };
    expect(only({ metadata: { name: 'a', labels }, spec, status })).toEqual({
      ...silent,
      name: 'a',
      controlPlane: true,
      labels,
      taints: [
        { key: 'CriticalAddonsOnly', value: 'true', effect: 'NoExecute' },
        { key: 'node.kubernetes.io/unschedulable', value: undefined, effect: 'NoSchedule' },
        { key: 'null', value: undefined, effect: 'PreferNoSchedule' },
      ],
      unschedulable: true,
      version: 'v1.34.2+k3s1',
    });
  });

  test.each([
    [
      { podCIDR: '10.42.0.0/24', podCIDRs: ['10.42.0.0/24', 'fd00:42::/64'] },
      ['10.42.0.0/24', 'fd00:42::/64'],
    ],
    [{ podCIDR: '10.42.0.0/24' }, ['10.42.0.0/24']],
    [{ podCIDR: '' }, []],
  ])('with %j has its pods there', (spec, podCidrs) => {
    expect(only({ metadata: { name: 'a' }, spec })).toMatchObject({ podCidrs });
  });
});

describe('Flannel', () => {
  test('has its backend, its addresses and those of its VXLAN devices in annotations', () => {
    const annotations = {
      'flannel.alpha.coreos.com/backend-type': 'vxlan',
      'flannel.alpha.coreos.com/backend-data': '{"VNI":1,"VtepMAC":"4A:3c:4f:bd:7c:ee"}',
      'flannel.alpha.coreos.com/backend-v6-data': '{"VNI":1,"VtepMAC":"4a:3c:4f:bd:7c:ef"}',
      'flannel.alpha.coreos.com/public-ip': '172.31.39.213',
      'flannel.alpha.coreos.com/public-ipv6': 'fd00:60::1',
      'flannel.alpha.coreos.com/public-ip-overwrite': '203.0.113.7',
      'flannel.alpha.coreos.com/kube-subnet-manager': 'true',
    };
    expect(only({ metadata: { name: 'a', annotations } })?.flannel).toEqual({
      backend: 'vxlan',
      publicIp: '172.31.39.213',
      publicIpv6: 'fd00:60::1',
      publicIpOverwrite: '203.0.113.7',
      vtepMac: '4a:3c:4f:bd:7c:ee',
      vtepMacV6: '4a:3c:4f:bd:7c:ef',
    });
  });

  test.each(['null', '{"PublicKey":"kQ="}', '{"VtepMAC":""}', '{"VtepMAC":5}', 'what?', ''])(
    'has no VXLAN device where it says %j',
    (data) => {
      const annotations = { 'flannel.alpha.coreos.com/backend-data': data };
      expect(only({ metadata: { name: 'a', annotations } })?.flannel).toEqual(silent.flannel);
    },
  );
});

test.each([
  ['ok', 'not JSON'],
  ['{}', 'items: expected array, received undefined'],
  [list({ metadata: {} }), 'items[0].metadata.name: expected string, received undefined'],
  [
    list({ metadata: { name: 'a' }, spec: { podCIDRs: 'x' } }),
    'items[0].spec.podCIDRs: expected array, received string',
  ],
])('%s is no list of nodes', (body, reason) => {
  expect(parseNodes(body)).toEqual({ kind: 'malformed', reason });
});

test('the address of cluster DNS is that of Service kube-dns', () => {
  const service = (name: string, clusterIP?: string) => ({ metadata: { name }, spec: { clusterIP } });
  expect(parseClusterDns(list(service('metrics', '10.43.0.9'), service('kube-dns', '10.43.0.10')))).toBe(
    '10.43.0.10',
  );
  for (const body of [list(service('kube-dns', 'None')), list(service('kube-dns')), list(), 'no']) {
    expect(parseClusterDns(body)).toBeUndefined();
  }
});

function only(object: unknown): ClusterNode | undefined {
  const parsed = parseNodes(list(object));
  return parsed.kind === 'parsed' ? parsed.nodes[0] : undefined;
}

function list(...items: readonly unknown[]): string {
  return JSON.stringify({ kind: 'List', items });
}

function node(name: string, condition: { readonly type: string; readonly status: string }) {
  const addresses = [
    { type: 'InternalIP', address: '192.168.60.1' },
    { type: 'InternalIP', address: 'fd00:60::1' },
    { type: 'ExternalIP', address: '203.0.113.7' },
    { type: 'Hostname', address: name },
  ];
  return { metadata: { name }, status: { addresses, conditions: [condition] } };
}
