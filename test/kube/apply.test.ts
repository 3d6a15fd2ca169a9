import { expect, test } from 'vitest';
import type { KubePatchResult } from '../../src/host/host.ts';
import { configMap, configMapsPath, corednsPath, customPath, startDnsCluster } from './dns-cluster.ts';

const own = { 'k3s-doctor-upstream.override': 'forward . 192.0.2.1\n' };
const manifest = JSON.stringify(configMap('coredns-custom', own));

function bodyOf(result: KubePatchResult) {
  if (result.kind !== 'patched') throw new Error(result.reason);
  return JSON.parse(result.body);
}

test('what is not there is made, with us as the manager of its fields', async () => {
  const { client, state, server } = await startDnsCluster();
  const made = bodyOf(await client.apply(customPath, manifest));
  expect(made).toMatchObject({
    data: own,
    metadata: {
      uid: expect.any(String),
      managedFields: [
        {
          manager: 'k3s-doctor',
          operation: 'Apply',
          fieldsV1: { 'f:data': { 'f:k3s-doctor-upstream.override': {} } },
        },
      ],
    },
  });
  expect(state.get(customPath)).toEqual(made);
  expect(server.requests).toMatchObject([
    { method: 'PATCH', path: `${customPath}?fieldManager=k3s-doctor&force=false`, body: manifest },
  ]);
});

test('what others have set stays, and applying it again changes nothing', async () => {
  const { client, state } = await startDnsCluster();
  state.put(configMap('coredns-custom', { 'theirs.server': 'example.org {\n}\n' }));
  const first = bodyOf(await client.apply(customPath, manifest));
  expect(first.data).toEqual({ 'theirs.server': 'example.org {\n}\n', ...own });
  expect(bodyOf(await client.apply(customPath, manifest))).toEqual(first);
});

test('a field of another manager is a conflict that names him', async () => {
  const { client, state } = await startDnsCluster();
  const before = state.get(corednsPath);
  const result = await client.apply(corednsPath, JSON.stringify(configMap('coredns', { Corefile: 'mine' })));
  expect(result).toEqual({
    kind: 'conflict',
    reason: expect.stringMatching(
      /answered 409 \(conflict\): Apply failed with 1 conflict: conflict with "before-first-apply" using v1: \.data\.Corefile$/,
    ),
  });
  expect(state.get(corednsPath)).toBe(before);
});

test('another version than the one that was read is a conflict', async () => {
  const { client, state } = await startDnsCluster();
  const read = bodyOf(await client.apply(customPath, manifest));
  state.put({ ...read, data: { ...read.data, more: 'x' } });
  const { managedFields: _none, ...metadata } = read.metadata;
  const stale = JSON.stringify({ ...configMap('coredns-custom', own), metadata });
  expect((await client.apply(customPath, stale)).kind).toBe('conflict');
});

test('an object of another name, or none, is not applied', async () => {
  const { client, state } = await startDnsCluster();
  for (const text of [JSON.stringify(configMap('other', own)), '{}', '[']) {
    const result = await client.apply(customPath, text);
    expect(result).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining(' answered 400') });
  }
  expect(state.get(customPath)).toBeUndefined();
});

test('without the right to it the reason names verb and resource', async () => {
  const { client } = await startDnsCluster({ may: (_, { verb }) => verb !== 'patch' });
  expect(await client.apply(customPath, manifest)).toEqual({
    kind: 'unavailable',
    reason: expect.stringMatching(
      /403 \(forbidden\): configmaps "coredns-custom" is forbidden: User "admin" cannot patch resource "configmaps" in API group "" in the namespace "kube-system"$/,
    ),
  });
});

test('what was read is deleted, once', async () => {
  const { client, state, server } = await startDnsCluster();
  const { metadata } = bodyOf(await client.apply(customPath, manifest));
  expect((await client.remove(customPath, metadata)).kind).toBe('patched');
  expect(state.get(customPath)).toBeUndefined();
  expect(await client.remove(customPath, metadata)).toEqual({ kind: 'patched', body: '' });
  const { uid, resourceVersion } = metadata;
  expect(server.requests.at(-1)).toMatchObject({ method: 'DELETE', path: customPath });
  expect(JSON.parse(server.requests.at(-1)?.body ?? '')).toMatchObject({
    preconditions: { uid, resourceVersion },
  });
});

test.each([
  ['uid', { uid: 'another' }, /409 \(conflict\): .*Precondition failed: UID in precondition: another/],
  ['resourceVersion', { resourceVersion: '7' }, /Precondition failed: ResourceVersion in precondition: 7/],
])('one with another %s stays', async (_, changes, reason) => {
  const { client, state } = await startDnsCluster();
  const { metadata } = bodyOf(await client.apply(customPath, manifest));
  expect(await client.remove(customPath, { ...metadata, ...changes })).toEqual({
    kind: 'conflict',
    reason: expect.stringMatching(reason),
  });
  expect(state.get(customPath)).toBeDefined();
});

test('a deletion that is forbidden says so', async () => {
  const { client, state } = await startDnsCluster({ may: (_, { verb }) => verb !== 'delete' });
  const object = { uid: 'u', resourceVersion: '1' };
  expect(await client.remove(corednsPath, object)).toMatchObject({
    kind: 'unavailable',
    reason: expect.stringContaining('cannot delete resource "configmaps"'),
  });
  expect(state.get(corednsPath)).toBeDefined();
});

test.each(['silent', 'cut', '500'] as const)(
  'a change that may have taken effect is never sent again: %s',
  async (fault) => {
    const { client, server } = await startDnsCluster({}, { timeoutMs: 400 });
    server.setFault(fault);
    const object = { uid: 'u', resourceVersion: '1' };
    for (const result of [
      await client.apply(customPath, manifest),
      await client.remove(customPath, object),
    ]) {
      expect(result).toEqual({
        kind: 'unavailable',
        reason: expect.stringMatching(/whether it took effect is not known$/),
      });
    }
    expect(server.requests.map(({ method }) => method)).toEqual(['PATCH', 'DELETE']);
  },
);

test('by the status of an answer it can be told what is not there from what may not be seen', async () => {
  const { client, server } = await startDnsCluster({ may: (_, { path }) => path !== corednsPath });
  expect(await client.get(customPath)).toMatchObject({ kind: 'unavailable', status: 404 });
  expect(await client.get(corednsPath)).toMatchObject({ kind: 'unavailable', status: 403 });
  server.setFault('401');
  expect(await client.get(customPath)).toMatchObject({ status: 401 });
  server.setFault('410');
  expect(await client.get(configMapsPath)).toMatchObject({
    status: 410,
    reason: expect.stringMatching(/answered 410 \(gone\): The provided resource version is too old$/),
  });
  server.setFault('cut');
  expect(await client.get(customPath)).toEqual({ kind: 'unavailable', reason: expect.any(String) });
});
