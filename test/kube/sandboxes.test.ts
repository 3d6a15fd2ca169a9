import { expect, test } from 'vitest';
import { parseCrictlPods } from '../../src/kube/sandboxes.ts';

const webId = '770c07dfd094fa98f07ed00c04920cc32b8f3be77d02d803b54b84cc1af77bb0';
const oldId = 'b57a45acaad108d4e72d396cef6f9f2bf4a354b6aac7c93c9ac5812e35495d40';

test('tells sandboxes that are ready from those that are not', () => {
  const answer = pods(sandbox({}), sandbox({ id: oldId, state: 'SANDBOX_NOTREADY' }));
  expect(parseCrictlPods(answer)).toEqual({
    kind: 'parsed',
    ready: new Map([[webId, { name: 'web', namespace: 'default' }]]),
    notReady: new Map([[oldId, { name: 'web', namespace: 'default' }]]),
  });
});

test('a node without pods', () => {
  expect(parseCrictlPods('{\n  "items":  []\n}\n')).toEqual({
    kind: 'parsed',
    ready: new Map(),
    notReady: new Map(),
  });
});

test.each([
  ['', 'not JSON'],
  ['POD ID  CREATED', 'not JSON'],
  ['{}', 'items: expected array, received undefined'],
  ['[]', 'expected object, received array'],
  [pods(sandbox({}), sandbox({ id: undefined })), 'items[1].id: expected string, received undefined'],
  [pods(sandbox({ id: '' })), 'items[0].id: expected the id of a sandbox'],
  [pods(sandbox({ id: webId.slice(0, 13) })), 'items[0].id: expected an id in full length'],
  [pods(sandbox({ state: 'SANDBOX_PAUSED' })), 'items[0].state: Invalid option'],
  [pods(sandbox({ state: 2 })), 'items[0].state: Invalid option'],
  [pods(sandbox({ state: undefined })), 'items[0].state: Invalid option'],
  [pods(sandbox({ metadata: null })), 'items[0].metadata: expected object, received null'],
  [pods(sandbox({ metadata: { name: 'web' } })), 'items[0].metadata.namespace: expected string'],
  [pods(sandbox({}), sandbox({ state: 'SANDBOX_NOTREADY' })), `sandbox ${webId} is listed twice`],
])('nothing is skipped: %s', (stdout, reason) => {
  const result = parseCrictlPods(stdout);
  expect(result.kind === 'malformed' && result.reason).toContain(reason);
});

/** As crictl prints one: every field of the CRI's PodSandbox, numbers of 64 bits as text. */
function sandbox(changes: Readonly<Record<string, unknown>>): unknown {
  return {
    id: webId,
    metadata: { name: 'web', uid: 'b6f9b0a6-5d5c-4f0e-8d0a-0f6f6d2f7c11', namespace: 'default', attempt: 0 },
    state: 'SANDBOX_READY',
    createdAt: '1795202539000000000',
    labels: { 'io.kubernetes.pod.name': 'web', 'io.kubernetes.pod.namespace': 'default' },
    annotations: { 'kubernetes.io/config.source': 'api' },
    runtimeHandler: '',
    ...changes,
  };
}

function pods(...items: readonly unknown[]): string {
  return JSON.stringify({ items }, undefined, 2);
}
