import { describe, expect, test } from 'vitest';
import type { ConfigMapKeyStep } from '../../../src/engine/step.ts';
import { configMapKey, type KeyBefore } from '../../../src/engine/steps/config-map-key.ts';
import type { StepContext } from '../../../src/engine/steps/step-kind.ts';
import { createKubeClient } from '../../../src/kube/client.ts';
import { startCluster } from '../../kube/cluster.ts';
import { createClusterState } from '../../lab/api-server/cluster-state.ts';
import { liveNode } from './live-node.ts';

const path = '/api/v1/namespaces/kube-system/configmaps/coredns-custom';
const key = 'k3s-doctor-upstream.override';
const text = 'forward . 192.0.2.53\n';

const add: ConfigMapKeyStep = {
  kind: 'config-map-key',
  namespace: 'kube-system',
  name: 'coredns-custom',
  key,
  was: null,
  value: text,
};
const remove: ConfigMapKeyStep = { ...add, was: text, value: null };

function configMap(fields: Readonly<Record<string, unknown>> = {}, metadata: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'coredns-custom', namespace: 'kube-system', ...metadata },
    ...fields,
  };
}

/** A cluster with that ConfigMap, or without; `meddle` is called before each write that is sent. */
async function clusterWith(object?: object, meddle: (attempt: number) => void = () => undefined) {
  const state = createClusterState(object ? [object] : []);
  let attempts = 0;
  const cluster = await startCluster({ state });
  const kubeconfig = await cluster.kubeconfig('admin');
  const kube = createKubeClient({ kubeconfig, k3sData: '/nowhere', env: {}, timeoutMs: 1000 });
  const first =
    <A extends unknown[], R>(write: (...args: A) => R) =>
    (...args: A): R => {
      meddle(++attempts);
      return write(...args);
    };
  const door = {
    get: kube.get,
    patch: first(kube.patch),
    apply: first(kube.apply),
    remove: first(kube.remove),
  };
  return {
    context: liveNode({ kube: door }),
    state,
    server: cluster.server,
    /** What is in it; undefined: there is none. */
    data: () => state.get(path)?.['data'],
    object: () => state.get(path),
    /** Methods of the writes that reached the server. */
    writes: () => cluster.server.requests.map(({ method }) => method).filter((method) => method !== 'GET'),
  };
}

async function needed(step: ConfigMapKeyStep, context: StepContext): Promise<KeyBefore> {
  const probed = await configMapKey.probe(step, context);
  if (probed.kind !== 'needed') throw new Error(JSON.stringify(probed));
  return probed.before;
}

/** Does a step as the engine would, and returns its inverse, as another process would make it from the backup. */
async function perform(step: ConfigMapKeyStep, context: StepContext): Promise<ConfigMapKeyStep> {
  const before = await needed(step, context);
  expect(await configMapKey.apply(step, before, context)).toEqual({ kind: 'written' });
  expect(await configMapKey.verify(step, before, context)).toEqual({ kind: 'as-planned', notes: [] });
  expect(await configMapKey.probe(step, context)).toEqual({ kind: 'done', notes: [] });
  const kept = configMapKey.backup.parse(configMapKey.backup.print(before));
  const inverse = kept && configMapKey.revert(step, kept);
  if (inverse?.kind !== 'config-map-key') throw new Error('no inverse');
  return JSON.parse(JSON.stringify(inverse));
}

const others = { 'their.server': 'example.org:53 {\n}\n' };

describe('a key is set, and taken back', () => {
  test('where there is no ConfigMap: it is made, and goes again', async () => {
    const { context, data, object, writes } = await clusterWith();
    const inverse = await perform(add, context);
    expect(data()).toEqual({ [key]: text });
    expect(object()?.metadata.managedFields).toMatchObject([{ manager: 'k3s-doctor', operation: 'Apply' }]);
    expect(inverse).toEqual({ ...remove, removesEmpty: true });
    const again = await perform(inverse, context);
    expect(object()).toBeUndefined();
    expect(writes()).toEqual(['PATCH', 'DELETE']);
    // An undo that fails is taken back itself.
    await perform(again, context);
    expect(data()).toEqual({ [key]: text });
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['others', { data: others }],
    ['nothing', {}],
    ['no texts', { binaryData: { 'their.zone': 'AAAA' } }],
  ])('where there is one with %s in it: only our key comes and goes', async (_, fields) => {
    const { context, data, object, writes } = await clusterWith(configMap(fields));
    const inverse = await perform(add, context);
    expect(data()).toEqual({ ...(fields['data'] ?? {}), [key]: text });
    expect(inverse).toEqual(remove);
    await perform(inverse, context);
    expect(data() ?? {}).toEqual(fields['data'] ?? {});
    expect(object()?.['binaryData']).toEqual(fields['binaryData']);
    expect(writes()).toEqual(['PATCH', 'PATCH']);
  });

  test('an old value of ours is replaced, and comes again', async () => {
    const { context, data } = await clusterWith(configMap({ data: { ...others, [key]: 'old\n' } }));
    const inverse = await perform({ ...add, was: 'old\n' }, context);
    expect(data()).toEqual({ ...others, [key]: text });
    await perform(inverse, context);
    expect(data()).toEqual({ ...others, [key]: 'old\n' });
  });

  test('a name with / and ~ is escaped', async () => {
    const { context, data } = await clusterWith(configMap({ data: others }));
    const inverse = await perform({ ...add, key: 'a/b~1' }, context);
    expect(data()).toEqual({ ...others, 'a/b~1': text });
    await perform(inverse, context);
    expect(data()).toEqual(others);
  });

  test('what every object inherits is no key of it', async () => {
    const { context, data } = await clusterWith(configMap({ data: others }));
    await perform({ ...add, key: 'constructor' }, context);
    expect(data()).toEqual({ ...others, constructor: text });
  });
});

describe('a ConfigMap that was made by us stays', () => {
  test.each<[string, object]>([
    ['when others have put a key in', configMap({ data: { [key]: text, ...others } })],
    ['when others have put bytes in', configMap({ data: { [key]: text }, binaryData: { a: 'AAAA' } })],
    ['when somebody has put a label on it', configMap({ data: { [key]: text } }, { labels: { a: 'b' } })],
    ['or a note', configMap({ data: { [key]: text } }, { annotations: { a: 'b' } })],
    ['or waits for its end', configMap({ data: { [key]: text } }, { finalizers: ['a/b'] })],
  ])('%s', async (_, object) => {
    const { context, data, writes } = await clusterWith(object);
    await perform({ ...remove, removesEmpty: true }, context);
    expect(writes()).toEqual(['PATCH']);
    expect(data() ?? {}).not.toHaveProperty([key]);
  });

  test('when somebody puts a key in at the last moment', async () => {
    const { context, data, state, writes } = await clusterWith(
      configMap({ data: { [key]: text } }),
      (attempt) => {
        if (attempt === 1) state.put(configMap({ data: { [key]: text, ...others } }));
      },
    );
    await perform({ ...remove, removesEmpty: true }, context);
    expect(data()).toEqual(others);
    expect(writes()).toEqual(['DELETE', 'PATCH']);
  });

  test('when it was not made by us', async () => {
    const { context, object } = await clusterWith(configMap({ data: { [key]: text } }));
    await perform(remove, context);
    expect(object()).toBeDefined();
  });
});

describe('nothing is written', () => {
  test.each<[string, ConfigMapKeyStep, object | undefined, string]>([
    [
      'over another value',
      add,
      configMap({ data: { [key]: 'theirs' } }),
      `${key} is "theirs", expected not there`,
    ],
    ['over another old value', { ...add, was: 'old' }, configMap(), `${key} is not there, expected "old"`],
    ['where an old value has gone with all', { ...add, was: 'old' }, undefined, 'there is no such ConfigMap'],
    ['over bytes', add, configMap({ binaryData: { [key]: 'AAAA' } }), `${key} is there among its binaryData`],
    ['when the bytes are all there is', remove, configMap({ binaryData: { [key]: 'AAAA' } }), 'binaryData'],
    ['when another value is to go', remove, configMap({ data: { [key]: 'theirs' } }), `${key} is "theirs"`],
    [
      'into what is being deleted',
      add,
      configMap({}, { deletionTimestamp: '2026-11-21T12:00:00Z', finalizers: ['a/b'] }),
      'it is being deleted',
    ],
  ])('%s', async (_, step, object, says) => {
    const { context, writes } = await clusterWith(object);
    const reason = expect.stringContaining(says);
    expect(await configMapKey.probe(step, context)).toEqual({ kind: 'moved-on', reason });
    expect(await configMapKey.apply(step, { existed: true, value: null }, context)).toEqual({
      kind: 'failed',
      reason,
    });
    expect(writes()).toEqual([]);
  });

  test('into one that is immutable, which is said', async () => {
    const { context, writes } = await clusterWith(configMap({ immutable: true, data: others }));
    const reason = `${path}: it is immutable: nobody can change it, only delete it and make it anew`;
    expect(await configMapKey.probe(add, context)).toEqual({ kind: 'failed', reason });
    expect(await configMapKey.apply(add, { existed: true, value: null }, context)).toEqual({
      kind: 'failed',
      reason,
    });
    expect(writes()).toEqual([]);
  });

  test('where it is so already, or what is to go is gone', async () => {
    const { context, state, writes } = await clusterWith(
      configMap({ immutable: true, data: { [key]: text } }),
    );
    expect(await configMapKey.probe(add, context)).toEqual({ kind: 'done', notes: [] });
    expect(await configMapKey.apply(add, { existed: true, value: null }, context)).toEqual({
      kind: 'written',
    });
    state.remove(path);
    expect(await configMapKey.probe(remove, context)).toEqual({ kind: 'done', notes: [] });
    expect(writes()).toEqual([]);
  });

  test('where the cluster cannot be asked, or answers something else', async () => {
    const { context, server } = await clusterWith(configMap());
    for (const fault of ['503', '403', 'not-json'] as const) {
      server.setFault(fault);
      expect(await configMapKey.probe(add, context)).toMatchObject({ kind: 'failed' });
    }
    const odd = liveNode({
      kube: { ...noWrites, get: async () => ({ kind: 'ok', body: '{}', source: '' }) },
    });
    expect(await configMapKey.probe(add, odd)).toEqual({
      kind: 'failed',
      reason: `${path}: the answer is no ConfigMap`,
    });
  });
});

const refuse = async () => ({ kind: 'unavailable', reason: 'no' }) as const;
const noWrites = { patch: refuse, apply: refuse, remove: refuse };

describe('others write at the same time', () => {
  test('elsewhere in it: it is read again, and patched', async () => {
    const { context, data, state, writes } = await clusterWith(configMap({ data: others }), (attempt) => {
      if (attempt < 3) state.put(configMap({ data: { ...others, count: `${attempt}` } }));
    });
    await perform(add, context);
    expect(data()).toEqual({ ...others, count: '2', [key]: text });
    expect(writes()).toEqual(['PATCH', 'PATCH', 'PATCH']);
  });

  test('for ever: it is left after three times', async () => {
    const { context, data, state, writes } = await clusterWith(configMap({ data: others }), (attempt) =>
      state.put(configMap({ data: { ...others, count: `${attempt}` } })),
    );
    expect(await configMapKey.apply(add, await needed(add, context), context)).toEqual({
      kind: 'failed',
      reason: expect.stringMatching(/coredns-custom: refused 3 times: .*answered 422/),
    });
    expect(data()).toEqual({ ...others, count: '3' });
    expect(writes()).toHaveLength(3);
  });

  test('our key: it is not written over', async () => {
    const theirs = configMap({ data: { [key]: 'theirs' } });
    const { context, data, state } = await clusterWith(configMap(), () => state.put(theirs));
    expect(await configMapKey.apply(add, await needed(add, context), context)).toEqual({
      kind: 'failed',
      reason: `${path}: ${key} is "theirs", expected not there`,
    });
    expect(data()).toEqual({ [key]: 'theirs' });
  });

  test('and make the ConfigMap: theirs stays, and is not deleted when ours goes', async () => {
    const { context, data, state } = await clusterWith(undefined, (attempt) => {
      if (attempt === 1) state.put(configMap({ data: others }));
    });
    const inverse = await perform(add, context);
    expect(data()).toEqual({ ...others, [key]: text });
    await perform(inverse, context);
    expect(data()).toEqual(others);
  });

  test('and make it with our key in it: theirs stays', async () => {
    const theirs = configMap(
      { data: { [key]: 'theirs' } },
      {
        managedFields: [
          {
            manager: 'kubectl',
            operation: 'Update',
            apiVersion: 'v1',
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:data': { [`f:${key}`]: {} } },
          },
        ],
      },
    );
    const { context, data, state } = await clusterWith(undefined, (attempt) => {
      if (attempt === 1) state.put(theirs);
    });
    expect(await configMapKey.apply(add, await needed(add, context), context)).toMatchObject({
      kind: 'failed',
    });
    expect(data()).toEqual({ [key]: 'theirs' });
  });
});

test('an answer that is lost: it is sent once, and what it did is read back', async () => {
  const { context, server, writes } = await clusterWith();
  const before = await needed(add, context);
  server.setFault('cut-body', { verbs: ['patch'], times: 1 });
  expect(await configMapKey.apply(add, before, context)).toMatchObject({ kind: 'failed' });
  expect(writes()).toEqual(['PATCH']);
  server.setFault('503');
  expect(await configMapKey.verify(add, before, context)).toMatchObject({ kind: 'unreadable' });
  server.setFault(undefined);
  expect(await configMapKey.verify(add, before, context)).toEqual({ kind: 'as-planned', notes: [] });
});

test('what was not done is not as planned', async () => {
  const { context } = await clusterWith(configMap({ data: { [key]: 'x'.repeat(1000) } }));
  const verdict = await configMapKey.verify(add, { existed: true, value: null }, context);
  expect(verdict).toEqual({
    kind: 'not-as-planned',
    reason: expect.stringMatching(
      /^ConfigMap kube-system\/coredns-custom: add .* is "x{99}…, expected "forward/,
    ),
  });
});

test('it is described with what is to be there, and what was', () => {
  expect(configMapKey.describe(add)).toEqual({
    title: `ConfigMap kube-system/coredns-custom: add ${key}`,
    command: `PATCH ${path} (application/json-patch+json; applied if it is not there)`,
    input: expect.stringContaining(`"value": ${JSON.stringify(text)}`),
    changes: 1,
    reversible: true,
    firewall: false,
    volatile: false,
  });
  expect(configMapKey.describe({ ...add, was: 'old' })).toMatchObject({
    title: `ConfigMap kube-system/coredns-custom: replace ${key}`,
    command: `PATCH ${path} (application/json-patch+json)`,
  });
  expect(configMapKey.describe(remove)).toMatchObject({
    title: `ConfigMap kube-system/coredns-custom: remove ${key}`,
    command: `PATCH ${path} (application/json-patch+json)`,
  });
  expect(configMapKey.describe({ ...remove, removesEmpty: true }).command).toBe(
    `PATCH ${path} (application/json-patch+json; DELETE if nothing else is in it)`,
  );
});

test('a damaged backup is none', () => {
  expect(configMapKey.backup.name(add)).toBe('kube-system_coredns-custom.json');
  const before = { existed: false, value: 'forward . ä→\n' };
  const printed = configMapKey.backup.print(before);
  expect(printed).toMatch(/^[\n -~]*$/);
  expect(configMapKey.backup.parse(printed)).toEqual(before);
  for (const damaged of [
    '',
    printed.slice(0, -4),
    '{}',
    '{"existed": 1, "value": ""}',
    '{"existed": true}',
  ]) {
    expect(configMapKey.backup.parse(damaged)).toBeUndefined();
  }
});
