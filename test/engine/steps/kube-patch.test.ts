import { expect, test } from 'vitest';
import type { FieldChange, KubePatchStep } from '../../../src/engine/step.ts';
import { type FieldsBefore, kubePatch } from '../../../src/engine/steps/kube-patch.ts';
import type { StepContext } from '../../../src/engine/steps/step-kind.ts';
import { createKubeClient } from '../../../src/kube/client.ts';
import { startCluster } from '../../kube/cluster.ts';
import { liveNode } from './live-node.ts';

const object = '/apis/apps/v1/namespaces/kube-system/deployments/coredns';
const original = {
  metadata: { resourceVersion: '41', annotations: { 'example.com/a~b': 'yes' } },
  spec: { replicas: 1, template: { spec: { nodeSelector: { os: 'linux' }, tolerations: [{ key: 'a' }] } } },
};

/** One Deployment behind the real client and TLS; `meddle` is called before each patch that is sent. */
async function clusterWith(document: unknown = original, meddle: () => unknown = () => undefined) {
  let current = document;
  const cluster = await startCluster({
    read: (path) => (path.startsWith('/apis/') || path.includes('secrets') ? current : undefined),
    write: (_, patched) => {
      current = patched;
    },
  });
  const kubeconfig = await cluster.kubeconfig('admin');
  const kube = createKubeClient({ kubeconfig, k3sData: '/nowhere', env: {}, timeoutMs: 1000 });
  const patch = async (path: string, text: string) => {
    current = meddle() ?? current;
    return kube.patch(path, text);
  };
  const { requests } = cluster.server;
  return {
    context: liveNode({ kube: { ...kube, patch } }),
    server: cluster.server,
    current: () => current,
    replace: (next: unknown) => {
      current = next;
    },
    patches: () => requests.filter((request) => request.method === 'PATCH').length,
  };
}

function step(...fields: readonly FieldChange[]): KubePatchStep {
  return { kind: 'kube-patch', title: 'coredns: two replicas', object, fields };
}

const replicas = { pointer: '/spec/replicas', was: 1, value: 2 };

async function needed(patch: KubePatchStep, context: StepContext): Promise<FieldsBefore> {
  const probed = await kubePatch.probe(patch, context);
  if (probed.kind !== 'needed') throw new Error(JSON.stringify(probed));
  return probed.before;
}

/** Does a step as the engine would, and returns its inverse. */
async function perform(patch: KubePatchStep, context: StepContext): Promise<KubePatchStep> {
  const before = await needed(patch, context);
  expect(await kubePatch.apply(patch, before, context)).toEqual({ kind: 'written' });
  expect(await kubePatch.verify(patch, before, context)).toEqual({ kind: 'as-planned', notes: [] });
  expect(await kubePatch.probe(patch, context)).toEqual({ kind: 'done', notes: [] });
  const inverse = kubePatch.revert(patch, before);
  if (inverse?.kind !== 'kube-patch') throw new Error('no inverse');
  return JSON.parse(JSON.stringify(inverse));
}

test.each([
  ['a field is replaced', replicas],
  ['a field is added', { pointer: '/spec/paused', value: true }],
  ['a field is removed', { pointer: '/spec/template/spec/nodeSelector', was: { os: 'linux' } }],
  [
    'a name with / and ~ is escaped',
    { pointer: '/metadata/annotations/example.com~1a~0b', was: 'yes', value: 'no' },
  ],
  ['such a name is added', { pointer: '/metadata/annotations/~1~0~01', value: '' }],
  [
    'an element of a list is replaced',
    { pointer: '/spec/template/spec/tolerations/0/key', was: 'a', value: 'b' },
  ],
  [
    'a list is replaced as a whole',
    { pointer: '/spec/template/spec/tolerations', was: [{ key: 'a' }], value: [{ key: 'a' }, { key: 'b' }] },
  ],
  ['null is a value', { pointer: '/spec/strategy', value: null }],
] satisfies readonly (readonly [string, FieldChange])[])('%s, and taken back', async (_, field) => {
  const { context, current, patches } = await clusterWith();
  const inverse = await perform(step(field), context);
  expect(current()).not.toMatchObject({ metadata: original.metadata, spec: original.spec });
  expect(inverse.title).toBe('take back: coredns: two replicas');
  await perform(inverse, context);
  expect(current()).toEqual({ ...original, metadata: { ...original.metadata, resourceVersion: '43' } });
  expect(patches()).toBe(2);
});

test('several fields are set together, or none', async () => {
  const fields = [replicas, { pointer: '/spec/paused', value: true }];
  const other = { ...original, spec: { ...original.spec, paused: true } };
  const { context, replace, current, patches } = await clusterWith();
  await perform(await perform(step(...fields), context), context);
  replace(other);
  expect(await kubePatch.probe(step(...fields), context)).toEqual({
    kind: 'moved-on',
    reason: `${object}: /spec/paused is true, expected not there`,
  });
  expect(current()).toBe(other);
  expect(patches()).toBe(2);
});

const misfits: readonly (readonly [FieldChange, object, string])[] = [
  [replicas, { spec: { replicas: 3 } }, '/spec/replicas is 3, expected 1'],
  [replicas, { spec: {} }, '/spec/replicas is not there, expected 1'],
  [replicas, {}, '/spec/replicas is not there, expected 1'],
  [{ pointer: '/a/b', value: 1 }, {}, '/a/b cannot be added: there is no object at /a'],
  [{ pointer: '/a/b/c', value: 1 }, { a: 'x' }, '/a/b/c cannot be added: there is no object at /a'],
  [{ pointer: '/a/0', was: 1 }, { a: [1] }, '/a/0 is an element of a list'],
  [{ pointer: '/a/-', value: 1 }, { a: [] }, '/a/- is an element of a list'],
  [{ pointer: '/a/01', was: 2, value: 3 }, { a: [1, 2] }, '/a/01 is not there, expected 2'],
];

test.each(misfits)('%j does not fit %j: no patch is sent', async (field, document, reason) => {
  const { context, patches } = await clusterWith({ ...document, metadata: { resourceVersion: '1' } });
  const expected = expect.stringContaining(`${object}: ${reason}`);
  expect(await kubePatch.probe(step(field), context)).toEqual({ kind: 'moved-on', reason: expected });
  const before = { resourceVersion: '1', fields: {} };
  expect(await kubePatch.apply(step(field), before, context)).toEqual({ kind: 'failed', reason: expected });
  expect(patches()).toBe(0);
});

test('what every object inherits is no field of it', async () => {
  const { context } = await clusterWith();
  const field = { pointer: '/spec/constructor', was: 'x' };
  expect(await kubePatch.probe(step(field), context)).toEqual({ kind: 'done', notes: [] });
});

test('an object that others change elsewhere meanwhile is read again, and patched', async () => {
  let version = 100;
  const { context, current, patches } = await clusterWith(original, () => {
    version += 1;
    if (version > 102) return undefined;
    return { ...original, metadata: { resourceVersion: `${version}` } };
  });
  await perform(step(replicas), context);
  expect(patches()).toBe(3);
  expect(current()).toMatchObject({ metadata: { resourceVersion: '103' }, spec: { replicas: 2 } });
});

test('an object that never comes to rest is left after three times', async () => {
  let version = 100;
  const { context, current, patches } = await clusterWith(original, () => {
    version += 1;
    return { ...original, metadata: { resourceVersion: `${version}` } };
  });
  const before = await needed(step(replicas), context);
  expect(await kubePatch.apply(step(replicas), before, context)).toEqual({
    kind: 'failed',
    reason: expect.stringMatching(/deployments\/coredns: refused 3 times: .*answered 422/),
  });
  expect(patches()).toBe(3);
  expect(current()).toMatchObject({ spec: { replicas: 1 } });
});

test('a field that somebody else sets meanwhile is not written over', async () => {
  const theirs = { ...original, metadata: { resourceVersion: '50' }, spec: { replicas: 5 } };
  const { context, current, patches } = await clusterWith(original, () => theirs);
  const before = await needed(step(replicas), context);
  expect(await kubePatch.apply(step(replicas), before, context)).toEqual({
    kind: 'failed',
    reason: `${object}: /spec/replicas is 5, expected 1`,
  });
  expect(patches()).toBe(1);
  expect(current()).toBe(theirs);
});

test('a server that says conflict for ever is asked three times', async () => {
  const { context, server, patches } = await clusterWith();
  const before = await needed(step(replicas), context);
  server.setFault('always-conflict');
  expect(await kubePatch.apply(step(replicas), before, context)).toMatchObject({ kind: 'failed' });
  expect(patches()).toBe(3);
});

test('an answer that is lost: the patch is sent once, and what it did is read back', async () => {
  const { context, server, patches } = await clusterWith();
  const before = await needed(step(replicas), context);
  server.setFault('cut-body');
  const written = await kubePatch.apply(step(replicas), before, {
    ...context,
    host: {
      ...context.host,
      kubeGet: async () => ({ kind: 'ok', body: JSON.stringify(original), source: '' }),
    },
  });
  expect(written).toMatchObject({ kind: 'failed', reason: expect.stringContaining('is not known') });
  expect(patches()).toBe(1);
  expect(await kubePatch.verify(step(replicas), before, context)).toMatchObject({ kind: 'unreadable' });
  server.setFault(undefined);
  expect(await kubePatch.verify(step(replicas), before, context)).toEqual({ kind: 'as-planned', notes: [] });
  expect(await kubePatch.apply(step(replicas), before, context)).toEqual({ kind: 'written' });
  expect(patches()).toBe(1);
});

test('a patch that was not done is not as planned', async () => {
  const { context } = await clusterWith();
  const before = await needed(step(replicas), context);
  expect(await kubePatch.verify(step(replicas), before, context)).toEqual({
    kind: 'not-as-planned',
    reason: `${object}: /spec/replicas is 1, expected 2`,
  });
});

test('a cluster that cannot be asked, or answers something else, is a failure', async () => {
  const { context, server, replace } = await clusterWith();
  server.setFault('503');
  expect(await kubePatch.probe(step(replicas), context)).toMatchObject({ kind: 'failed' });
  server.setFault(undefined);
  replace({ kind: 'Odd' });
  expect(await kubePatch.probe(step(replicas), context)).toEqual({
    kind: 'failed',
    reason: `${object}: the answer is no object with a resourceVersion`,
  });
});

test('an object that is gone has moved on: there is nothing to try again for', async () => {
  const { context, replace } = await clusterWith();
  const before = await needed(step(replicas), context);
  replace(undefined);
  const reason = expect.stringContaining('answered 404');
  expect(await kubePatch.probe(step(replicas), context)).toEqual({ kind: 'moved-on', reason });
  expect(await kubePatch.apply(step(replicas), before, context)).toMatchObject({ kind: 'failed', reason });
  expect(await kubePatch.verify(step(replicas), before, context)).toEqual({ kind: 'not-as-planned', reason });
});

test('of a Secret nothing is quoted, and long values are cut', async () => {
  const { context } = await clusterWith({
    metadata: { resourceVersion: '1' },
    data: { a: 'x'.repeat(5000) },
  });
  const field = { pointer: '/data/a', was: 'c2VjcmV0', value: 'b' };
  const secret = { ...step(field), object: '/api/v1/namespaces/default/secrets/token' };
  const [open, closed] = [
    await kubePatch.probe(step(field), context),
    await kubePatch.probe(secret, context),
  ];
  expect(open.kind === 'moved-on' && open.reason.length).toBeLessThan(300);
  expect(closed).toEqual({
    kind: 'moved-on',
    reason: '/api/v1/namespaces/default/secrets/token: /data/a has another value than expected',
  });
});

test('it is described with what each field was and is to be', () => {
  const described = kubePatch.describe(step(replicas, { pointer: '/spec/paused', was: true }));
  expect(described).toMatchObject({
    title: 'coredns: two replicas',
    command: `PATCH ${object} (application/json-patch+json)`,
    changes: 2,
    reversible: true,
    firewall: false,
    volatile: false,
  });
  expect(JSON.parse(described.input ?? '')).toEqual([
    { op: 'test', path: '/spec/replicas', value: 1 },
    { op: 'replace', path: '/spec/replicas', value: 2 },
    { op: 'test', path: '/spec/paused', value: true },
    { op: 'remove', path: '/spec/paused' },
  ]);
});

test('a damaged backup is none', () => {
  const before = { resourceVersion: '41', fields: { '/a': null, '/ä→': ['x'] } };
  const text = kubePatch.backup.print(before);
  expect(text).toMatch(/^[\n -~]*$/);
  expect(kubePatch.backup.parse(text)).toEqual(before);
  expect(kubePatch.backup.name(step())).toBe('apis_apps_v1_namespaces_kube-system_deployments_coredns.json');
  for (const damaged of ['', text.slice(0, -4), '{}', '{"resourceVersion": 1, "fields": {}}']) {
    expect(kubePatch.backup.parse(damaged)).toBeUndefined();
  }
});
