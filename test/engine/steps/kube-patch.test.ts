import { expect, onTestFinished, test } from 'vitest';
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
    context: liveNode({ kube: { get: kube.get, patch } }),
    server: cluster.server,
    current: () => current,
    replace: (next: unknown) => {
      current = next;
    },
    patches: () => requests.filter((request) => request.patch !== undefined).length,
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
  ['an element of a list is replaced', { pointer: '/spec/template/spec/tolerations/0/key', was: 'a', value: 'b' }],
  [
    'a list is replaced as a whole',
    { pointer: '/spec/template/spec/tolerations', was: [{ key: 'a' }], value: [{ key: 'a' }, { key: 'b' }] },
  ],
  ['null is a value', { pointer: '/spec/strategy', value: null }],
] satisfies readonly (readonly [string, FieldChange])[])('%s, and taken back', async (_, field) => {
  const { context, current, patches } = await clusterWith();
  const inverse = await perform(step(field), context);
  expect(current()).not.toEqual({ ...original, metadata: { ...original.metadata, resourceVersion: '42' } });
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

test.each([
  [replicas, { spec: { replicas: 3 } }, '/spec/replicas is 3, expected 1'],
  [replicas, { spec: {} }, '/spec/replicas is not there, expected 1'],
  [replicas, {}, '/spec/replicas is not there, expected 1'],
  [{ pointer: '/spec/a/b', value: 1 }, { spec: {} }, '/spec/a/b cannot be added: there is no object at /spec/a'],
  [{ pointer: '/spec/a/b', value: 1 }, { spec: { a: 'x' } }, 'there is no object at /spec/a'],
  [{ pointer: '/spec/a/0', was: 1 }, { spec: { a: [1] } }, '/spec/a/0 is an element of a list'],
  [{ pointer: '/spec/a/-', value: 1 }, { spec: { a: [] } }, '/spec/a/- is an element of a list'],
  [{ pointer: '/spec/toString', was: 1 }, { spec: {} }, '/spec/toString is not there, expected 1'].slice(0, 3),
])('%j on %j has moved on', async (field, document, reason) => {
  const { context, patches } = await clusterWith({ metadata: { resourceVersion: '1' }, ...Object(document) });
  const patch = step(Object(field));
  expect(await kubePatch.probe(patch, context)).toMatchObject(
    patch.fields[0]?.pointer === '/spec/toString'
      ? { kind: 'done' }
      : { kind: 'moved-on', reason: expect.stringContaining(String(reason)) },
  );
  expect(patches()).toBe(0);
});
