import { describe, expect, test } from 'vitest';
import { clusterAnswersFact } from '../../../src/facts/dns/cluster-answers.ts';
import { answered, dnsNode, onlyAnswering, silence, withCorefile } from './dns-node.ts';

const podsPath = '/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns';

test('each pod and the Service are asked for the API, and the pods for the world, at the same time', async () => {
  const { context, asked } = await dnsNode({ network: () => answered() });
  const { cluster, world } = await context.get(clusterAnswersFact);
  const api = 'kubernetes.default.svc.cluster.local A';
  expect(asked.filter((each) => !each.startsWith('GET '))).toEqual([
    `10.42.1.5 udp ${api} + 10.42.1.5 tcp ${api} + 10.43.0.11 udp ${api} + 10.43.0.11 tcp ${api}`,
    '10.42.1.5 udp registry-1.docker.io A + 10.42.1.5 tcp registry-1.docker.io A',
  ]);
  expect([...cluster.keys()]).toEqual(['10.42.1.5', '10.43.0.11']);
  expect([...world.keys()]).toEqual(['10.42.1.5']);
});

describe('of the world', () => {
  test('nothing is said by a pod that is not reached', async () => {
    const { context } = await dnsNode({ network: onlyAnswering('10.43.0.11') });
    const { cluster, world } = await context.get(clusterAnswersFact);
    expect(cluster.get('10.42.1.5')?.byProtocol.udp?.verdict).toBe('timed-out');
    expect(world.size).toBe(0);
  });

  test('it is said that a pod knows nothing of it', async () => {
    const { context } = await dnsNode({
      network: ({ name }) => (name.endsWith('.cluster.local') ? answered() : silence),
    });
    const { world } = await context.get(clusterAnswersFact);
    expect(world.get('10.42.1.5')?.byProtocol.udp?.verdict).toBe('timed-out');
  });

  test('the Service is asked where the pods may not be listed', async () => {
    const { context } = await dnsNode({ network: () => answered(), statuses: { [podsPath]: 403 } });
    const { cluster, world } = await context.get(clusterAnswersFact);
    expect([[...cluster.keys()], [...world.keys()]]).toEqual([['10.43.0.11'], ['10.43.0.11']]);
  });
});

test("a pod that was evicted is not asked: its address may be another one's by now", async () => {
  const edits = {
    texts: { 'pods.json': (text: string) => text.replace('"phase": "Running"', '"phase": "Failed"') },
  };
  const { context } = await dnsNode({ edits, network: () => answered() });
  const { cluster } = await context.get(clusterAnswersFact);
  expect([...cluster.keys()]).toEqual(['10.43.0.11']);
});

test("the API's name is that of the cluster's domain", async () => {
  const edits = withCorefile((text) => text.replace('cluster.local', 'k3s.example'));
  const { context, asked } = await dnsNode({ edits, network: () => answered() });
  await context.get(clusterAnswersFact);
  expect(asked.join('\n')).toContain('10.42.1.5 udp kubernetes.default.svc.k3s.example A');
});

test('nobody is asked where there is no cluster', async () => {
  const { context, asked } = await dnsNode({ edits: { host: { kube: [], processes: [] } } });
  expect(await context.get(clusterAnswersFact)).toEqual({ cluster: new Map(), world: new Map() });
  expect(asked.filter((each) => !each.startsWith('GET '))).toEqual([]);
});
