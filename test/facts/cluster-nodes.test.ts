import { describe, expect, test } from 'vitest';
import { clusterNodesFact } from '../../src/facts/cluster-nodes.ts';
import type { RecordingInput } from '../../src/host/recording-format.ts';
import { gather } from './observed-host.ts';

const nodes = [
  { name: 'alpha', addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] },
  {
    name: 'beta-1a2b3c4d',
    addresses: [
      { type: 'InternalIP', address: '10.0.0.2' },
      { type: 'ExternalIP', address: '203.0.113.2' },
    ],
  },
  { name: 'gamma', addresses: [{ type: 'InternalIP', address: 'fd00::3' }] },
];

function nodesOf(
  host: Partial<RecordingInput>,
  body: string = JSON.stringify({
    kind: 'NodeList',
    items: nodes.map(({ name, addresses }) => ({ metadata: { name }, status: { addresses } })),
  }),
) {
  const bare = {
    processes: [],
    files: [],
    localAddresses: {},
    kube: [{ path: '/api/v1/nodes', body: 'nodes.json', source: '/etc/rancher/k3s/k3s.yaml' }],
  };
  const edits = { texts: { 'nodes.json': () => body }, host: { ...bare, ...host } };
  return gather(clusterNodesFact, 'kube-proxy-legacy-then-nft', { edits });
}

function hostname(text: string): Partial<RecordingInput> {
  return { files: [{ path: '/proc/sys/kernel/hostname', text }] };
}

async function selfOf(host: Partial<RecordingInput>): Promise<string | undefined> {
  const { value } = await nodesOf(host);
  return value.kind === 'known' ? value.self?.name : value.reason;
}

test('all nodes are asked for at once, without a limit of ours: the client pages', async () => {
  const { value, asked } = await nodesOf(hostname('alpha\n'));
  expect(asked).toEqual(['GET /api/v1/nodes']);
  expect(value).toMatchObject({
    kind: 'known',
    nodes: nodes.map(({ name }) => ({ name })),
    self: { name: 'alpha', internalAddresses: ['10.0.0.1'] },
    source: '/etc/rancher/k3s/k3s.yaml',
  });
});

describe('this node is', () => {
  test.each<[string, Partial<RecordingInput>, string | undefined]>([
    ['the one with its host name', hostname('alpha\n'), 'alpha'],
    ['whatever the case of it', hostname('Gamma\n'), 'gamma'],
    [
      'the one that k3s was told to be, before its host name',
      {
        ...hostname('alpha\n'),
        processes: [{ name: 'k3s-agent', args: ['k3s', 'agent', '--node-name', 'gamma'] }],
      },
      'gamma',
    ],
    [
      'the one that kubelet was told to be',
      { processes: [{ name: 'kubelet', args: ['kubelet', '--hostname-override=alpha'] }] },
      'alpha',
    ],
    [
      'not what any other program was told',
      { processes: [{ name: 'grep', args: ['grep', '--node-name', 'gamma'] }] },
      undefined,
    ],
    [
      'else the one with an internal address of ours',
      { ...hostname('beta\n'), localAddresses: { ipv4: ['192.168.0.9', '10.0.0.2'] } },
      'beta-1a2b3c4d',
    ],
    ['else with an external one', { localAddresses: { ipv4: ['203.0.113.2'] } }, 'beta-1a2b3c4d'],
    ['of either family', { localAddresses: { ipv6: ['fd00::3'] } }, 'gamma'],
    ['none, if none has', { ...hostname('laptop\n'), localAddresses: { ipv4: ['10.0.0.9'] } }, undefined],
    ['none, if two have', { localAddresses: { ipv4: ['10.0.0.1', '10.0.0.2'] } }, undefined],
  ])('%s', async (_which, host, name) => {
    expect(await selfOf(host)).toBe(name);
  });
});

describe('the nodes are unavailable', () => {
  test('where the API is', async () => {
    const kube = [{ path: '/api/v1/nodes', unavailable: 'connection to 10.0.0.1:6443 refused' }];
    expect((await nodesOf({ kube })).value).toEqual({
      kind: 'unavailable',
      reason: 'connection to 10.0.0.1:6443 refused',
    });
  });

  test('where these credentials have no right to them, which is another thing', async () => {
    const kube = [{ path: '/api/v1/nodes', unavailable: 'forbidden: list nodes', status: 403 }];
    expect((await nodesOf({ kube })).value).toEqual({
      kind: 'unavailable',
      reason: 'forbidden: list nodes',
      forbidden: true,
    });
  });

  test('where its answer is none', async () => {
    expect((await nodesOf({}, '{"items":[{}]}')).value).toEqual({
      kind: 'unavailable',
      reason:
        "the API's list of nodes cannot be read: items[0].metadata: expected object, received undefined",
    });
  });

  test('where there are more than any cluster has', async () => {
    const items = Array.from({ length: 5_001 }, (_, index) => ({ metadata: { name: `node-${index}` } }));
    expect((await nodesOf({}, JSON.stringify({ items }))).value).toEqual({
      kind: 'unavailable',
      reason: 'the cluster has 5001 nodes, more than 5000',
    });
  });
});
