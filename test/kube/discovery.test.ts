import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createKubeClient } from '../../src/kube/client.ts';
import type { CredentialSearch } from '../../src/kube/credentials.ts';
import { type Cluster, podsPath, reasonOf, startCluster, temporaryDirectory } from './cluster.ts';

test('without any kubeconfig it says where it looked', async () => {
  const search = placesIn(await temporaryDirectory());
  const reason = await reasonOf(
    createKubeClient({ ...search, env: { KUBECONFIG: '/nowhere/a:/nowhere/b' } }).get(podsPath),
  );
  expect(reason).toBe(
    `no kubeconfig found (looked for /nowhere/a, /nowhere/b, ${search.k3sConfig}, ` +
      `${search.k3sData}/agent/kubeproxy.kubeconfig, ${search.k3sData}/agent/kubelet.kubeconfig)`,
  );
});

test('credentials are tried from the most able to the least', async () => {
  const cluster = await startCluster({ may: (user) => user === 'kubelet' });
  const search = placesIn(cluster.directory);
  await writeAll(cluster);
  await mkdir(join(cluster.directory, 'pod'));
  await writeFile(join(cluster.directory, 'pod/token'), 'pod-token\n');
  await writeFile(join(cluster.directory, 'pod/ca.crt'), cluster.server.authority.certificate);
  const { hostname, port } = new URL(cluster.server.url);
  const env = {
    KUBECONFIG: `/nowhere/a:${cluster.directory}/from-env`,
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
  };
  const answer = await createKubeClient({ ...search, env }).get(podsPath);
  expect(answer).toMatchObject({ kind: 'ok', source: join(search.k3sData, 'agent/kubelet.kubeconfig') });
  expect(cluster.server.requests.map(({ user }) => user)).toEqual([
    'from-env',
    'admin',
    'kube-proxy',
    undefined,
    'kubelet',
  ]);
});

test("a pod's own account is used with its token", async () => {
  const cluster = await startCluster({ tokens: new Map([['pod-token', 'doctor']]) });
  const search = placesIn(cluster.directory);
  await mkdir(join(cluster.directory, 'pod'));
  await writeFile(join(cluster.directory, 'pod/token'), 'pod-token\n');
  await writeFile(join(cluster.directory, 'pod/ca.crt'), cluster.server.authority.certificate);
  const { hostname, port } = new URL(cluster.server.url);
  const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  expect(await createKubeClient({ ...search, env }).get(podsPath)).toMatchObject({
    source: search.serviceAccount,
  });
  expect(cluster.server.requests.map(({ user }) => user)).toEqual(['doctor']);
});

test('every attempt that failed is named, in one line', async () => {
  const cluster = await startCluster({ may: () => false });
  const search = placesIn(cluster.directory);
  await writeAll(cluster);
  await writeFile(join(cluster.directory, 'from-env'), '{');
  await cluster.kubeconfig('k3s.yaml', { server: 'https://127.0.0.1:1' });
  const env = { KUBECONFIG: join(cluster.directory, 'from-env') };
  const reason = await reasonOf(createKubeClient({ ...search, env }).get(podsPath));
  expect(reason.split('; ')).toEqual([
    `${env.KUBECONFIG}: does not parse: not YAML at line 1`,
    `${search.k3sConfig}: connection to 127.0.0.1:1 refused`,
    expect.stringMatching(/kubeproxy\.kubeconfig: .* 403 \(forbidden\): .*User "kube-proxy" cannot list/),
    expect.stringMatching(/kubelet\.kubeconfig: .* 403 \(forbidden\): .*User "kubelet" cannot list/),
  ]);
});

test('what worked is asked first from then on', async () => {
  const cluster = await startCluster({ may: (user, { path }) => user === 'kube-proxy' || path !== podsPath });
  const search = placesIn(cluster.directory);
  await writeAll(cluster);
  const { get: kubeGet } = createKubeClient(search);
  await kubeGet(podsPath);
  await kubeGet(podsPath);
  expect(cluster.server.requests.map(({ user }) => user)).toEqual(['admin', 'kube-proxy', 'kube-proxy']);
});

test('one kubeconfig named twice is tried once', async () => {
  const cluster = await startCluster({ may: () => false });
  const search = placesIn(cluster.directory);
  const path = await cluster.kubeconfig('k3s.yaml');
  await reasonOf(createKubeClient({ ...search, env: { KUBECONFIG: path } }).get(podsPath));
  expect(cluster.server.requests).toHaveLength(1);
});

test('a server in trouble is not asked again with other credentials', async () => {
  const cluster = await startCluster();
  const search = placesIn(cluster.directory);
  await writeAll(cluster);
  for (const fault of ['500', 'not-json', 'cut'] as const) {
    const before = cluster.server.requests.length;
    cluster.server.setFault(fault);
    expect(await reasonOf(createKubeClient(search).get(podsPath))).not.toContain('; ');
    expect(cluster.server.requests).toHaveLength(before + 1);
  }
});

test('all attempts share one deadline', async () => {
  const cluster = await startCluster();
  const search = placesIn(cluster.directory);
  await writeAll(cluster);
  const { get: kubeGet } = createKubeClient({ ...search, timeoutMs: 300 });
  await kubeGet(podsPath);
  cluster.server.setFault('silent');
  const startedAt = Date.now();
  expect(await reasonOf(kubeGet(podsPath))).toMatch(/ did not answer in 0\.3 s$/);
  expect(Date.now() - startedAt).toBeLessThan(1500);
});

test('beside an explicit kubeconfig no other is tried', async () => {
  const cluster = await startCluster();
  const search = placesIn(cluster.directory);
  await writeAll(cluster);
  const env = { KUBECONFIG: join(cluster.directory, 'from-env') };
  const reason = await reasonOf(
    createKubeClient({ ...search, env, kubeconfig: '/nowhere/mine' }).get(podsPath),
  );
  expect(reason).toBe('/nowhere/mine: cannot be read: no such file');
  expect(cluster.server.requests).toEqual([]);
});

/** A kubeconfig of each kind; the user has its name. */
async function writeAll({ kubeconfig, server }: Cluster): Promise<void> {
  await kubeconfig('from-env');
  await kubeconfig('k3s.yaml', { client: server.authority.issue({ commonName: 'admin' }) });
  for (const name of ['kube-proxy', 'kubelet']) {
    const client = server.authority.issue({ commonName: name, organization: 'system:nodes' });
    await kubeconfig(`data/agent/${name.replace('-', '')}.kubeconfig`, { client, style: 'files' });
  }
}

function placesIn(directory: string) {
  return {
    k3sData: join(directory, 'data'),
    k3sConfig: join(directory, 'k3s.yaml'),
    serviceAccount: join(directory, 'pod'),
    env: {},
  } satisfies CredentialSearch;
}
