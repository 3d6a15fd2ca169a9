import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { createKubeClient } from '../../src/kube/client.ts';
import { createAuthority } from '../lab/api-server/certificates.ts';
import { ask, podList, podsPath, startCluster } from './cluster.ts';

test.each(['embedded', 'files'] as const)('asks with a client certificate (%s)', async (style) => {
  const { server, kubeconfig } = await startCluster();
  const path = await kubeconfig('system:kube-proxy', { style });
  const answer = await ask(path);
  expect(answer).toEqual({ kind: 'ok', body: expect.any(String), source: path });
  expect(answer.kind === 'ok' && JSON.parse(answer.body)).toMatchObject(podList(3));
  expect(server.requests).toMatchObject([{ user: 'system:kube-proxy', path: `${podsPath}?limit=500` }]);
});

test('asks with a token', async () => {
  const { server, kubeconfig } = await startCluster({ tokens: new Map([['t0k', 'someone']]) });
  expect((await ask(await kubeconfig('a', { client: { token: 't0k' } }))).kind).toBe('ok');
  expect(server.requests.map(({ user }) => user)).toEqual(['someone']);
});

test('talks to an unknown server only if the kubeconfig says so', async () => {
  const { kubeconfig } = await startCluster();
  const authority = createAuthority('another').certificate;
  expect((await ask(await kubeconfig('strict', { authority }))).kind).toBe('unavailable');
  const lax = { 'insecure-skip-tls-verify': true, 'certificate-authority-data': undefined };
  expect((await ask(await kubeconfig('lax', { authority, cluster: lax }))).kind).toBe('ok');
});

test('checks the name that the kubeconfig gives the server', async () => {
  const authority = createAuthority('own');
  const serverCertificate = authority.issue({ commonName: 'api', hosts: ['kubernetes'] });
  const { kubeconfig } = await startCluster({ authority, serverCertificate });
  expect((await ask(await kubeconfig('a'))).kind).toBe('unavailable');
  const named = { 'tls-server-name': 'kubernetes' };
  expect((await ask(await kubeconfig('b', { cluster: named }))).kind).toBe('ok');
});

test('keeps the path that a server has of its own', async () => {
  const { server, kubeconfig } = await startCluster({ read: () => ({}) });
  await ask(await kubeconfig('a', { server: `${server.url}/k8s/clusters/c-1/` }), '/version');
  expect(server.requests.map(({ path }) => path)).toEqual(['/k8s/clusters/c-1/version']);
});

test('picks up a renewed certificate', async () => {
  const { server, kubeconfig } = await startCluster();
  const client = createKubeClient({ kubeconfig: await kubeconfig('a'), k3sData: '/nowhere', env: {} });
  await client.get(podsPath);
  await kubeconfig('a', { client: server.authority.issue({ commonName: 'renewed' }) });
  await client.get(podsPath);
  expect(server.requests.map(({ user }) => user)).toEqual(['a', 'renewed']);
});

test('plain text comes back as it is where the API speaks it', async () => {
  const { kubeconfig } = await startCluster({ read: () => '[+]ping ok\nreadyz check passed\n' });
  const answer = await ask(await kubeconfig('a'), '/readyz?verbose');
  expect(answer).toMatchObject({ kind: 'ok', body: '[+]ping ok\nreadyz check passed\n' });
});

test('reaches the server over IPv6', async () => {
  const { server, kubeconfig } = await startCluster({ listen: { address: '::1', port: 0 } });
  expect(server.url).toMatch(/^https:\/\/\[::1\]:/);
  expect((await ask(await kubeconfig('a'))).kind).toBe('ok');
});

test('goes through the proxy that a kubeconfig names', async () => {
  const { kubeconfig } = await startCluster();
  const tunnels: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request: IncomingMessage, client: Duplex) => {
    tunnels.push(request.url ?? '');
    const [host = '', port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
  });
  onTestFinished(() => void proxy.close());
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = `http://127.0.0.1:${address.port}`;

  expect((await ask(await kubeconfig('direct'))).kind).toBe('ok');
  expect(tunnels).toEqual([]);
  expect((await ask(await kubeconfig('proxied', { cluster: { 'proxy-url': url } }))).kind).toBe('ok');
  expect(tunnels).toHaveLength(1);
});

test('a path that is none is a mistake of the caller', async () => {
  const { kubeconfig } = await startCluster();
  await expect(ask(await kubeconfig('a'), '.evil.example/')).rejects.toThrow('not a path of the API');
});
