import { describe, expect, test } from 'vitest';
import { type Config, defaultConfig } from '../../../src/config/config.ts';
import { clusterNodesFact } from '../../../src/facts/cluster-nodes.ts';
import { coreDnsFact } from '../../../src/facts/dns/coredns.ts';
import { placementFact } from '../../../src/facts/dns/placement.ts';
import { givenFacts } from '../given-facts.ts';
import { cluster, node } from '../made-up-cluster.ts';
import { gather } from '../observed-host.ts';

const server = node({ name: 'server', controlPlane: true, labels: { zone: 'a' } });
const worker = node({ name: 'worker', labels: { zone: 'b', disk: 'fast' } });
const pod = (name: string, on: string | undefined, changes: object = {}) => ({
  name,
  node: on,
  address: '10.42.0.9',
  phase: 'Running',
  ready: true,
  isEnding: false,
  ...changes,
});

interface Given {
  readonly settings?: Partial<Config['checks']['coredns-placement']>;
  readonly pods?: unknown;
  readonly nodes?: unknown;
}

async function placement({ settings, pods, nodes }: Given) {
  const { checks, ...config } = defaultConfig();
  const context = await givenFacts(
    {
      [coreDnsFact.id]: { pods: pods ?? { kind: 'known', value: [pod('a', 'server'), pod('b', 'worker')] } },
      [clusterNodesFact.id]: nodes ?? cluster(server, worker),
    },
    {
      ...config,
      checks: { ...checks, 'coredns-placement': { ...checks['coredns-placement'], ...settings } },
    },
  );
  return context.get(placementFact);
}

/** `POLICY: ALLOWED; POD on NODE, ...`, with a minus for a pod that may not be there. */
async function told(given: Given): Promise<string> {
  const found = await placement(given);
  if (found.kind !== 'known') return found.reason;
  const pods = found.pods.map(
    ({ pod, node, isAllowed }) => `${isAllowed ? '' : '-'}${pod.name} on ${node?.name}`,
  );
  return `${found.policy}: ${found.allowed.map(({ name }) => name).join(' ')}; ${pods.join(', ')}`;
}

describe('it may run', () => {
  test.each<[string, Given['settings'], string]>([
    ['on servers, if nobody says otherwise', {}, 'server: server; a on server, -b on worker'],
    ['on the nodes that are named', { nodes: ['worker'] }, 'nodes: worker; -a on server, b on worker'],
    ['on none, if none is called that', { nodes: ['x'] }, 'nodes: ; -a on server, -b on worker'],
    ['on those with a label', { selector: { zone: 'b' } }, 'selector: worker; -a on server, b on worker'],
    [
      'on those with all of them',
      { selector: { zone: 'a', disk: 'fast' } },
      'selector: ; -a on server, -b on worker',
    ],
    [
      'where names and labels are given, on those that are named',
      { nodes: ['server'], selector: { zone: 'b' } },
      'nodes: server; a on server, -b on worker',
    ],
    [
      'not by a label of every object',
      { selector: { constructor: 'x' } },
      'selector: ; -a on server, -b on worker',
    ],
  ])('%s', async (_, settings, expected) => {
    expect(await told({ settings: settings ?? {} })).toBe(expected);
  });

  test('anywhere, where no server is a node', async () => {
    expect(await told({ nodes: cluster(worker) })).toBe('server: ; a on undefined, b on worker');
  });
});

test('pods that end or are over are left out; one without a node is nowhere it may not be', async () => {
  const value = [
    pod('ending', 'worker', { isEnding: true }),
    pod('evicted', 'worker', { phase: 'Failed' }),
    pod('over', 'worker', { phase: 'Succeeded' }),
    pod('pending', undefined, { phase: 'Pending' }),
    pod('elsewhere', 'gone'),
  ];
  expect(await told({ pods: { kind: 'known', value } })).toBe(
    'server: server; pending on undefined, -elsewhere on undefined',
  );
  expect(await told({ pods: { kind: 'absent' } })).toBe('server: server; ');
});

describe('it is not known', () => {
  test('without the pods, and the right that is missing is named', async () => {
    const unavailable = { kind: 'unavailable', reason: 'needs: list pods in kube-system', forbidden: true };
    expect(await placement({ pods: unavailable })).toEqual(unavailable);
  });

  test.each([true, undefined])('without the nodes; forbidden: %s', async (forbidden) => {
    const nodes = { kind: 'unavailable', reason: 'no nodes', ...(forbidden && { forbidden }) };
    expect(await placement({ nodes })).toEqual({
      kind: 'unavailable',
      reason: 'no nodes',
      forbidden: forbidden ?? false,
    });
  });
});

test('of the recorded cluster: on the worker, by chance', async () => {
  const { value, asked } = await gather(placementFact, 'coredns-on-unreachable-node');
  expect(value).toMatchObject({
    policy: 'server',
    allowed: [{ name: 'ubuntu-2404-noble-amd64-base' }],
    pods: [{ node: { name: 'aws-worker-1' }, isAllowed: false }],
  });
  // One answer for each kind, whoever needs it.
  expect(new Set(asked).size).toBe(asked.length);
});
