import { expect, test, vi } from 'vitest';
import { ask, podList, podsPath, startCluster } from './cluster.ts';

test('a long list comes back whole, and read in pages', async () => {
  const { server, kubeconfig } = await startCluster({ read: () => podList(1234) });
  const answer = await ask(await kubeconfig('a'));
  expect(answer.kind === 'ok' && JSON.parse(answer.body)).toEqual({
    ...podList(1234),
    metadata: { resourceVersion: '1' },
  });
  expect(server.requests.map(({ path }) => path)).toEqual([
    `${podsPath}?limit=500`,
    `${podsPath}?limit=500&continue=500`,
    `${podsPath}?limit=500&continue=1000`,
  ]);
});

test('all pages come over one connection, which is closed in the end', async () => {
  const { server, kubeconfig } = await startCluster({ read: () => podList(1234) });
  await ask(await kubeconfig('a'));
  expect(server.connections.total).toBe(1);
  await vi.waitFor(() => expect(server.connections.open).toBe(0));
});

test('a list that changed too much meanwhile is read once more in one piece', async () => {
  const { server, kubeconfig } = await startCluster({ read: () => podList(600) });
  server.setFault('expired-continue');
  const answer = await ask(await kubeconfig('a'));
  expect(answer.kind === 'ok' && JSON.parse(answer.body)).toMatchObject(podList(600));
  expect(server.requests.map(({ path }) => path)).toEqual([
    `${podsPath}?limit=500`,
    `${podsPath}?limit=500&continue=500`,
    podsPath,
  ]);
});

test('a list that loses its server half way is no list', async () => {
  const { server, kubeconfig } = await startCluster({
    read: () => {
      if (server.requests.length > 1) server.setFault('cut');
      return podList(1234);
    },
  });
  expect((await ask(await kubeconfig('a'))).kind).toBe('unavailable');
  expect(server.requests).toHaveLength(3);
});

test('all pages together are bounded', async () => {
  const { server, kubeconfig } = await startCluster({ read: () => podList(5000) });
  const pageBytes = JSON.stringify(podList(500)).length;
  const answer = await ask(await kubeconfig('a'), podsPath, { maxBytes: 3 * pageBytes });
  expect(answer.kind).toBe('unavailable');
  expect(server.requests.length).toBeLessThanOrEqual(4);
});

test.each([
  ['an empty list', { kind: 'PodList', items: [] }],
  ['a list that is null', { kind: 'PodList', items: null }],
  ['no list at all', { kind: 'Pod', metadata: { name: 'a' } }],
])('%s is passed on as it is', async (_, document) => {
  const { kubeconfig } = await startCluster({ read: () => document });
  const answer = await ask(await kubeconfig('a'));
  expect(answer.kind === 'ok' && JSON.parse(answer.body)).toMatchObject(document);
});

test('one object is not asked for in pages', async () => {
  const { server, kubeconfig } = await startCluster({ read: () => ({ kind: 'Pod' }) });
  await ask(await kubeconfig('a'), '/api/v1/namespaces/default/pods/web');
  await ask(await kubeconfig('a'), '/api/v1/namespaces/default/pods?limit=1');
  expect(server.requests.map(({ path }) => path)).toEqual([
    '/api/v1/namespaces/default/pods/web',
    '/api/v1/namespaces/default/pods?limit=1',
  ]);
});
