import { expect, test } from 'vitest';
import type { KubePatchResult } from '../../src/host/host.ts';
import { createKubeClient } from '../../src/kube/client.ts';
import { type Cluster, podsPath, startCluster } from './cluster.ts';

const path = '/apis/apps/v1/namespaces/kube-system/deployments/coredns';
const replace = JSON.stringify([{ op: 'replace', path: '/spec/replicas', value: 2 }]);

/** A cluster of one Deployment, as it is after the patches so far. */
async function startWithDeployment(options: Parameters<typeof startCluster>[0] = {}) {
  let deployment: unknown = { metadata: { resourceVersion: '41' }, spec: { replicas: 1 } };
  const cluster = await startCluster({
    read: (asked) => (asked === path ? deployment : undefined),
    write: (_, document) => {
      deployment = document;
    },
    ...options,
  });
  return { ...cluster, deployment: () => deployment };
}

/** The files of k3s and a kubelet's: both are tried. */
async function twoCredentials({ directory, kubeconfig }: Cluster) {
  const k3sConfig = await kubeconfig('admin');
  await kubeconfig('data/agent/kubelet.kubeconfig');
  return { k3sConfig, k3sData: `${directory}/data`, env: {} };
}

function client(kubeconfig: string, timeoutMs?: number) {
  return createKubeClient({ kubeconfig, k3sData: '/nowhere', env: {}, timeoutMs });
}

function reasonOf(result: KubePatchResult): string {
  if (result.kind === 'patched') throw new Error('it was patched');
  return result.reason;
}

const unknownEffect = 'whether it took effect is not known';

test('an object is patched once, and comes back as it is now', async () => {
  const { server, kubeconfig, deployment } = await startWithDeployment();
  const result = await client(await kubeconfig('admin')).patch(path, replace);
  const now = { metadata: { resourceVersion: '42' }, spec: { replicas: 2 } };
  expect(result).toEqual({ kind: 'patched', body: JSON.stringify(now) });
  expect(deployment()).toEqual(now);
  expect(server.requests).toEqual([
    { user: 'admin', method: 'PATCH', path: `${path}?fieldManager=k3s-doctor`, body: replace },
  ]);
});

test('a test that does not hold is a conflict, and nothing is changed', async () => {
  const { kubeconfig, deployment } = await startWithDeployment();
  const patch = JSON.stringify([
    { op: 'replace', path: '/spec/replicas', value: 2 },
    { op: 'test', path: '/metadata/resourceVersion', value: '40' },
  ]);
  const result = await client(await kubeconfig('admin')).patch(path, patch);
  expect(result.kind).toBe('conflict');
  expect(reasonOf(result)).toMatch(/answered 422 \(not acceptable\): the server rejected our request/);
  expect(deployment()).toEqual({ metadata: { resourceVersion: '41' }, spec: { replicas: 1 } });
});

test("a conflict is told in the server's words", async () => {
  const { server, kubeconfig } = await startWithDeployment();
  server.setFault('always-conflict');
  const result = await client(await kubeconfig('admin')).patch(path, replace);
  expect(result.kind).toBe('conflict');
  expect(reasonOf(result)).toMatch(/answered 409 \(conflict\): Operation cannot be fulfilled on .*modified$/);
});

test('an object that is not there is no conflict', async () => {
  const { kubeconfig } = await startWithDeployment();
  const result = await client(await kubeconfig('admin')).patch(`${path}2`, replace);
  expect(result).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining('404 (not found)') });
  expect(reasonOf(result)).not.toContain(unknownEffect);
});

test('a forbidden patch names the verb and the resource', async () => {
  const { kubeconfig } = await startWithDeployment({ may: () => false });
  expect(reasonOf(await client(await kubeconfig('kubelet')).patch(path, replace))).toContain(
    '403 (forbidden): deployments.apps "coredns" is forbidden: User "kubelet" cannot patch resource "deployments"',
  );
});

test('credentials that are refused give way to the next, and those that worked go first', async () => {
  const cluster = await startWithDeployment({ may: (user, { verb }) => verb === 'get' || user !== 'admin' });
  const { get, patch } = createKubeClient(await twoCredentials(cluster));
  await get(path);
  expect(await patch(path, replace)).toMatchObject({ kind: 'patched' });
  expect(await patch(path, replace)).toMatchObject({ kind: 'patched' });
  expect(cluster.server.requests.map(({ user, method }) => [user, method])).toEqual([
    ['admin', 'GET'],
    ['admin', 'PATCH'],
    ['data/agent/kubelet.kubeconfig', 'PATCH'],
    ['data/agent/kubelet.kubeconfig', 'PATCH'],
  ]);
});

test('credentials that lead nowhere give way to the next', async () => {
  const cluster = await startWithDeployment();
  const search = await twoCredentials(cluster);
  await cluster.kubeconfig('admin', { server: 'https://127.0.0.1:1' });
  expect(await createKubeClient(search).patch(path, replace)).toMatchObject({ kind: 'patched' });
  expect(cluster.server.requests).toHaveLength(1);
});

test('a server that is not trusted never sees the patch', async () => {
  const [own, other] = [await startWithDeployment(), await startWithDeployment()];
  const authority = other.server.authority.certificate;
  const result = await client(await own.kubeconfig('admin', { authority })).patch(path, replace);
  expect(reasonOf(result)).toMatch(/is not trusted/);
  expect(reasonOf(result)).not.toContain(unknownEffect);
  expect(own.server.requests).toEqual([]);
});

test.each(['silent', 'cut', 'cut-body', 'stalls', '500', '503', 'not-json'] as const)(
  'a patch that may have arrived is never sent again: a server that is or says %s',
  async (fault) => {
    const cluster = await startWithDeployment();
    const search = await twoCredentials(cluster);
    const { get, patch } = createKubeClient({ ...search, timeoutMs: 400 });
    await get(path);
    cluster.server.setFault(fault);
    const result = await patch(path, replace);
    const sent = cluster.server.requests.filter((request) => request.method === 'PATCH');
    expect(sent).toHaveLength(1);
    if (fault === 'not-json') {
      expect(result.kind).toBe('patched');
      return;
    }
    expect(result.kind).toBe('unavailable');
    expect(reasonOf(result)).toMatch(new RegExp(`${unknownEffect}$`));
  },
);

test('a GET that fails does not speak of effects', async () => {
  const { server, kubeconfig } = await startWithDeployment();
  server.setFault('500');
  const answer = await client(await kubeconfig('admin')).get(podsPath);
  expect(answer.kind === 'unavailable' && answer.reason).not.toContain(unknownEffect);
});
