import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAuthority } from '../lab/api-server/certificates.ts';
import { ask, podList, podsPath, reasonOf, startCluster, temporaryDirectory } from './cluster.ts';

describe('what the server says', () => {
  test('a client that nobody knows is told so', async () => {
    const { server, kubeconfig } = await startCluster();
    const stranger = createAuthority('another').issue({ commonName: 'stranger' });
    const path = await kubeconfig('a', { client: stranger });
    const host = new URL(server.url).host;
    expect(await reasonOf(ask(path))).toBe(
      `${path}: ${host} answered 401 (credentials not accepted): Unauthorized`,
    );
  });

  test('a forbidden question names the verb and the resource', async () => {
    const { kubeconfig } = await startCluster({ may: () => false });
    const reason = await reasonOf(ask(await kubeconfig('kube-proxy')));
    expect(reason).toContain(
      'answered 403 (forbidden): pods is forbidden: User "kube-proxy" cannot list resource "pods"',
    );
  });

  test('a resource that is not served is named', async () => {
    const { kubeconfig } = await startCluster();
    const reason = await reasonOf(ask(await kubeconfig('a'), '/apis/nothing.io/v1/things'));
    expect(reason).toMatch(/answered 404 \(not found\): .*\/apis\/nothing\.io\/v1\/things$/);
  });

  test('a server in trouble is quoted', async () => {
    const { server, kubeconfig } = await startCluster();
    server.setFault('500');
    expect(await reasonOf(ask(await kubeconfig('a')))).toMatch(
      /answered 500: etcdserver: request timed out$/,
    );
    server.setFault('503');
    expect(await reasonOf(ask(await kubeconfig('a')))).toMatch(/answered 503: the server is starting$/);
  });

  test('what it says is cut to one printable line', async () => {
    const user = `one\ntwo\u001b[2J\u202e\r\n${'x'.repeat(1000)}`;
    const { kubeconfig } = await startCluster({ tokens: new Map([['t', user]]), may: () => false });
    const reason = await reasonOf(ask(await kubeconfig('a', { client: { token: 't' } })));
    expect(reason).toMatch(/one two \[2J x+$/);
    expect(reason.length).toBeLessThan(500);
  });

  test('an answer that is not JSON', async () => {
    const { server, kubeconfig } = await startCluster();
    server.setFault('not-json');
    expect(await reasonOf(ask(await kubeconfig('a')))).toMatch(/: the answer is not JSON$/);
    expect(await reasonOf(ask(await kubeconfig('a'), `${podsPath}?limit=7`))).toMatch(
      /: the answer is not JSON$/,
    );
  });

  test('an answer larger than can be held', async () => {
    const { kubeconfig } = await startCluster({ read: () => podList(2000) });
    const path = await kubeconfig('a');
    const whole = JSON.stringify(podList(2000)).length;
    expect((await ask(path, podsPath, { maxBytes: 2 * whole })).kind).toBe('ok');
    const reason = await reasonOf(ask(path, podsPath, { maxBytes: whole / 2 }));
    expect(reason).toMatch(/answered more than [\d.]+ MiB$/);
  });
});

describe('no conversation', () => {
  test('nobody listens', async () => {
    const { server, kubeconfig } = await startCluster();
    const path = await kubeconfig('a');
    await server.close();
    expect(await reasonOf(ask(path))).toBe(`${path}: connection to ${new URL(server.url).host} refused`);
  });

  test('a host that nobody knows', async () => {
    const { kubeconfig } = await startCluster();
    // Two dots make a name that no resolver sends out.
    const path = await kubeconfig('a', { server: 'https://no..where:6443' });
    expect(await reasonOf(ask(path))).toMatch(/: host no\.\.where is unknown \(ENOTFOUND\)$/);
  });

  test.each(['silent', 'stalls'] as const)(
    'a server that is %s is left after the deadline',
    async (fault) => {
      const { server, kubeconfig } = await startCluster();
      server.setFault(fault);
      const path = await kubeconfig('a');
      const reason = await reasonOf(ask(path, podsPath, { timeoutMs: 200 }));
      expect(reason).toMatch(/ did not answer in 0\.2 s$/);
    },
  );

  test.each([
    ['before', 'cut'],
    ['in the middle of', 'cut-body'],
  ] as const)('a connection that is cut %s the answer', async (_, fault) => {
    const { server, kubeconfig } = await startCluster();
    server.setFault(fault);
    expect(await reasonOf(ask(await kubeconfig('a')))).toMatch(/ cut the connection$/);
  });

  test('a server that does not speak TLS', async () => {
    const { kubeconfig } = await startCluster();
    const port = await listening(createServer((_, response) => response.end('{}')));
    const reason = await reasonOf(ask(await kubeconfig('a', { server: `https://127.0.0.1:${port}` })));
    expect(reason).toMatch(/: no conversation with 127\.0\.0\.1:\d+ \((EPROTO|ERR_SSL_\w+)\)$/);
  });

  test('a certificate of another authority', async () => {
    const { kubeconfig } = await startCluster();
    const path = await kubeconfig('a', { authority: createAuthority('another').certificate });
    expect(await reasonOf(ask(path))).toMatch(/the certificate of 127\.0\.0\.1:\d+ is not trusted \(\w+\)$/);
  });

  test('a certificate for other hosts', async () => {
    const authority = createAuthority('own');
    const serverCertificate = authority.issue({ commonName: 'api', hosts: ['10.0.0.1'] });
    const { kubeconfig } = await startCluster({ authority, serverCertificate });
    expect(await reasonOf(ask(await kubeconfig('a')))).toMatch(/ names other hosts$/);
  });

  test('a certificate of the server past its time', async () => {
    const authority = createAuthority('own');
    const past = { validFrom: new Date('2020-01-01'), validTo: new Date('2021-01-01') };
    const serverCertificate = authority.issue({ commonName: 'api', hosts: ['127.0.0.1'], ...past });
    const { kubeconfig } = await startCluster({ authority, serverCertificate });
    expect(await reasonOf(ask(await kubeconfig('a')))).toMatch(
      /the certificate of 127\.0\.0\.1:\d+ has expired$/,
    );
  });
});

describe('a kubeconfig that leads nowhere', () => {
  test('its client certificate has expired: said without connecting', async () => {
    const { server, kubeconfig } = await startCluster();
    const client = server.authority.issue({
      commonName: 'admin',
      validFrom: new Date('2020-01-01'),
      validTo: new Date('2021-02-03T04:05:06Z'),
    });
    for (const style of ['embedded', 'files'] as const) {
      const path = await kubeconfig(style, { client, style });
      expect(await reasonOf(ask(path))).toBe(
        `${path}: its client certificate expired on 2021-02-03T04:05:06.000Z`,
      );
    }
    expect(server.requests).toEqual([]);
  });

  test('its client certificate is of the future', async () => {
    const { server, kubeconfig } = await startCluster();
    const client = server.authority.issue({
      commonName: 'admin',
      validFrom: new Date('2090-01-01'),
      validTo: new Date('2091-01-01'),
    });
    expect(await reasonOf(ask(await kubeconfig('a', { client })))).toMatch(
      /is not valid before 2090-01-01T00:00:00\.000Z: is the clock right\?$/,
    );
  });

  test('its certificate and key do not belong together', async () => {
    const { server, kubeconfig } = await startCluster();
    const { certificate } = server.authority.issue({ commonName: 'a' });
    const { key } = server.authority.issue({ commonName: 'b' });
    expect(await reasonOf(ask(await kubeconfig('a', { client: { certificate, key } })))).toMatch(
      /: its certificates or key cannot be used \(\w+\)$/,
    );
  });

  test('a certificate file that it names is gone', async () => {
    const { kubeconfig } = await startCluster();
    const path = await kubeconfig('a', { user: { 'client-certificate': 'gone.crt' } });
    expect(await reasonOf(ask(path))).toBe(
      `${path}: names a file that cannot be read: ${join(path, '..', 'gone.crt')} (ENOENT)`,
    );
  });

  test.each([
    ['exec', { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'PROGRAM' } }],
    ['gcp', { 'auth-provider': { name: 'gcp', config: { 'cmd-path': 'PROGRAM' } } }],
    ['oidc', { 'auth-provider': { name: 'oidc', config: { 'id-token': 'a.b.c' } } }],
  ])('the program that it signs in with (%s) is not run', async (_, user) => {
    const { server, directory, kubeconfig } = await startCluster();
    const program = join(directory, 'program');
    const trace = join(directory, 'was-run');
    await writeFile(program, `#!/bin/sh\ntouch ${trace}\n`);
    await chmod(program, 0o755);
    const named = JSON.parse(JSON.stringify(user).replace('PROGRAM', program));
    const path = await kubeconfig('a', { user: named });
    expect(await reasonOf(ask(path))).toBe(
      `${path}: it signs in through a program or provider, which is never run from here`,
    );
    expect(server.requests).toEqual([]);
    await expect(chmod(trace, 0o600)).rejects.toThrow('ENOENT');
  });

  test.each([
    ['http://127.0.0.1:6443', 'its server is not an https URL'],
    ['127.0.0.1', 'its server is not a URL'],
  ])('server %s', async (server, reason) => {
    const { kubeconfig } = await startCluster();
    expect(await reasonOf(ask(await kubeconfig('a', { server })))).toMatch(new RegExp(`: ${reason}$`));
  });

  test.each([
    ['a: [\n b: c: d', 'does not parse: not YAML at line 2'],
    ['', 'does not parse: not a kubeconfig'],
    ['[]', 'its current context names no cluster of its own'],
    ['just words', 'its current context names no cluster of its own'],
    ['clusters: [{cluster: {server: "https://x"}}]', 'does not parse: clusters[0].name is missing'],
    ['clusters: [{name: a, cluster: {server: 5}}]', 'does not parse: not a kubeconfig'],
    [
      'users: [{name: a, user: {token-file: /gone/token}}]',
      'names a token file that cannot be read: /gone/token (ENOENT)',
    ],
    [
      'current-context: c\ncontexts: [{name: c, context: {cluster: a}}]\nclusters: [{name: a, cluster: {server: "https://x"}}]',
      'its current context names no user of its own',
    ],
  ])('the text %j', async (text, reason) => {
    const path = join(await temporaryDirectory(), 'config');
    await writeFile(path, text);
    expect(await reasonOf(ask(path))).toBe(`${path}: ${reason}`);
  });

  test('it is absent, a directory, or huge', async () => {
    const directory = await temporaryDirectory();
    const huge = join(directory, 'huge');
    await writeFile(huge, Buffer.alloc(5 * 1024 * 1024, 0x20));
    expect(await reasonOf(ask('/nowhere/config'))).toBe('/nowhere/config: cannot be read: no such file');
    expect(await reasonOf(ask(directory))).toBe(`${directory}: cannot be read: not a regular file`);
    expect(await reasonOf(ask(huge))).toBe(`${huge}: cannot be read: larger than 4 MiB`);
  });

  test('a token that cannot be sent', async () => {
    const { kubeconfig } = await startCluster();
    const path = await kubeconfig('a', { client: { token: 'two\nlines' } });
    expect(await reasonOf(ask(path))).toBe(`${path}: its token holds characters that cannot be sent`);
  });
});

test('no reason holds a secret', async () => {
  const secret = 'c2VjcmV0';
  const { server, directory, kubeconfig } = await startCluster();
  const client = { token: secret };
  const withUser = server.url.replace('https://', `https://admin:${secret}@`);
  const broken = join(directory, 'broken');
  await writeFile(broken, `users:\n- name: a\n  user: {token: ${secret}\n  password: "${secret}\n`);
  const reasons = [
    await reasonOf(ask(await kubeconfig('a', { client }))),
    await reasonOf(ask(await kubeconfig('b', { client, server: withUser }))),
    await reasonOf(ask(await kubeconfig('c', { client: { token: `${secret}\n${secret}` } }))),
    await reasonOf(ask(await kubeconfig('d', { user: { 'client-key-data': secret } }))),
    await reasonOf(ask(broken)),
  ];
  await server.close();
  reasons.push(await reasonOf(ask(await kubeconfig('e', { client, server: withUser }))));
  expect(reasons.filter((reason) => reason.includes(secret))).toEqual([]);
  expect(reasons.filter((reason) => reason.includes('\n'))).toEqual([]);
});

async function listening(server: Server): Promise<number> {
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
