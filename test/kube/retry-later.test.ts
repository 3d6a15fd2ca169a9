import { expect, test } from 'vitest';
import { configMap, corednsPath, customPath, startDnsCluster } from './dns-cluster.ts';

test('a server that is busy is asked again when it wants', async () => {
  const { client, server } = await startDnsCluster();
  server.setFault('429', { times: 1 });
  const startedAt = performance.now();
  expect(await client.get(corednsPath)).toMatchObject({ kind: 'ok' });
  expect(performance.now() - startedAt).toBeGreaterThan(990);
  expect(server.requests).toHaveLength(2);
});

test('a change, too: a server that was too busy has done nothing', async () => {
  const { client, server, state } = await startDnsCluster();
  server.setFault('429', { verbs: ['patch'], times: 1 });
  const manifest = JSON.stringify(configMap('coredns-custom', { a: 'b' }));
  expect(await client.apply(customPath, manifest)).toMatchObject({ kind: 'patched' });
  expect(state.get(customPath)).toBeDefined();
  expect(server.requests.map(({ method }) => method)).toEqual(['PATCH', 'PATCH']);
});

test('not for ever', async () => {
  const { client, server } = await startDnsCluster();
  server.setFault('429');
  expect(await client.get(corednsPath)).toMatchObject({
    kind: 'unavailable',
    status: 429,
    reason: expect.stringMatching(
      /answered 429 \(too many requests\): Too many requests, please try again later\.$/,
    ),
  });
  expect(server.requests).toHaveLength(3);
});

test('and not beyond the deadline: then its answer comes at once', async () => {
  const { client, server } = await startDnsCluster({}, { timeoutMs: 800 });
  server.setFault('429');
  const startedAt = performance.now();
  expect(await client.get(corednsPath)).toMatchObject({ kind: 'unavailable', status: 429 });
  expect(performance.now() - startedAt).toBeLessThan(700);
  expect(server.requests).toHaveLength(1);
});

test('a slow server is waited for, up to the deadline', async () => {
  const { client, server } = await startDnsCluster();
  server.setFault('slow', { times: 1 });
  expect(await client.get(corednsPath)).toMatchObject({ kind: 'ok' });
});
