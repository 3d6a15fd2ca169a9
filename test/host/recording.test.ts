import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Host } from '../../src/host/host.ts';
import { liveHost } from '../../src/host/live.ts';
import { recordingHost } from '../../src/host/recording.ts';
import { replayingHost } from '../../src/host/replaying.ts';
import { addressRecord, answer, udpServer } from './dns-server.ts';
import { fakeProgram, temporaryFolder } from './temporary-folder.ts';

/** The real machine, with programs of the test's own. */
function machine(folder: string): Host {
  const programs = {
    nft: 'case "$1" in list) echo "table ip nat";; *) echo "bad" >&2; exit 1;; esac',
    crictl: 'sleep 100',
    nsenter: `echo '[{"kind":"timed-out","timeoutMs":100}, {"kind":"blocked","reason":"refused"}]'`,
    conntrack: `printf 'x\\377' ; echo again >> ${folder}/count; wc -l < ${folder}/count`,
  };
  const path = (name: string) => join(folder, 'bin', name);
  for (const [name, body] of Object.entries(programs)) fakeProgram(path(name), body);
  return liveHost({
    commands: {
      nft: [path('nft')],
      crictl: [path('crictl')],
      conntrack: [path('conntrack')],
      nsenter: [path('nsenter')],
      'iptables-nft-save': ['/no/such/program'],
    },
    paths: { k3sData: '/no/such/k3s' },
    kube: {
      get: async (request) =>
        request.includes('pods')
          ? { kind: 'unavailable', reason: 'forbidden', status: 403 }
          : { kind: 'ok', body: `{"path": "${request}"}`, source: 'the API' },
      patch: async (_, patch) => ({ kind: 'patched', body: patch }),
      apply: async (_, manifest) => ({ kind: 'patched', body: manifest }),
      remove: async (_, { uid }) => ({ kind: 'patched', body: uid }),
    },
  });
}

test('a replay gives every answer that was recorded', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'ipam'));
  writeFileSync(join(folder, 'ipam/10.42.0.5'), 'aaaa\r\neth0');
  writeFileSync(join(folder, 'empty'), '');
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;

  const soa = 6;
  const wrongId = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0]), bytes.subarray(2)]);
  const resolver = await udpServer((asked) => {
    const address = addressRecord('a.example', `192.0.2.${resolver.asked.length}`);
    return asked.at(-3) === soa ? [wrongId(asked)] : [answer(asked, [address])];
  });
  const closed = { port: 9 };
  const question = {
    server: resolver.server,
    port: resolver.port,
    protocol: 'udp',
    name: 'a.example',
    type: 'A',
    timeoutMs: 100,
  } as const;
  const web = createHttpServer((asked, response) => {
    response.statusCode = asked.url === '/metrics' ? 200 : 404;
    response.end('a_total 1\n');
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void web.close());
  const webAddress = web.address();
  const metrics = `http://127.0.0.1:${typeof webAddress === 'object' ? webAddress?.port : 0}`;

  const questions: ((host: Host) => Promise<unknown>)[] = [
    (host) => host.run({ tool: 'nft', args: ['list', 'tables'] }),
    (host) => host.run({ tool: 'nft', args: ['-j', 'unknown'] }),
    (host) => host.run({ tool: 'crictl', args: ['pods'], timeoutMs: 100 }),
    (host) => host.run({ tool: 'iptables-nft-save', args: ['-c'] }).then(({ kind }) => kind),
    (host) => host.run({ tool: 'conntrack', args: ['-L'], encoding: 'latin1' }),
    (host) => host.run({ tool: 'conntrack', args: ['-L'], encoding: 'latin1' }),
    (host) => host.readFile(join(folder, 'ipam/10.42.0.5')),
    (host) => host.readFile(join(folder, 'empty')),
    (host) => host.readFile(join(folder, 'none')),
    (host) => host.readFile(folder),
    // Sizes are not recorded.
    async (host) =>
      (await host.listDirectory(join(folder, 'ipam')))?.map(({ name, modifiedAt }) => [name, modifiedAt]),
    (host) => host.listDirectory(join(folder, 'none')),
    (host) => host.localAddresses('ipv4'),
    (host) => host.kubeGet('/apis/discovery.k8s.io/v1/endpointslices'),
    (host) => host.kubeGet('/api/v1/pods'),
    (host) => host.connectTcp('127.0.0.1', port, 2000),
    (host) => host.askDns([question, { ...question, port: closed.port }]),
    (host) => host.askDns([{ ...question, type: 'SOA' }]),
    (host) => host.askDns([{ ...question, protocol: 'tcp', port, timeoutMs: 50 }]),
    (host) => host.askDns([{ ...question, server: 'nobody' }]),
    (host) => host.askDns([question, question], process.pid),
    (host) => host.httpGet(`${metrics}/metrics`, 1000),
    (host) => host.httpGet(`${metrics}/else`, 1000),
  ];
  const askAll = async (host: Host) => {
    const answers = [];
    for (const ask of questions) answers.push(await ask(host));
    return answers;
  };
  const recording = join(folder, 'recording');
  const recorder = await recordingHost(machine(folder), recording);
  const live = await askAll(recorder);
  await recorder.finish();

  expect(live).toContainEqual({ kind: 'exited', exitCode: 0, stdout: 'x\u{ff}2\n', stderr: '' });
  expect(await askAll(await replayingHost(recording))).toEqual(live);
  expect(readdirSync(recording, { recursive: true }).sort()).toEqual([
    'conntrack-2.txt',
    'conntrack.txt',
    'host.json',
    expect.stringMatching(/^http-http-127\.0\.0\.1-\d+-metrics\.txt$/),
    'kube',
    'kube/endpointslices.json',
    'nft-list-tables.txt',
    expect.stringMatching(/-ipam-10\.42\.0\.5\.txt$/),
  ]);
});

test('an answer that stays the same is kept once', async () => {
  const folder = temporaryFolder();
  const recorder = await recordingHost(machine(folder), join(folder, 'recording'));
  await recorder.run({ tool: 'nft', args: ['list'] });
  await recorder.run({ tool: 'nft', args: ['list'] });
  await recorder.finish();
  const { commands } = JSON.parse(readFileSync(join(folder, 'recording/host.json'), 'utf8'));
  expect(commands).toHaveLength(1);
});

test('a recording is for its owner alone', async () => {
  const folder = temporaryFolder();
  const recorder = await recordingHost(machine(folder), join(folder, 'recording'));
  await recorder.run({ tool: 'nft', args: ['list'] });
  await recorder.finish();
  const modeOf = (name: string) => statSync(join(folder, 'recording', name)).mode & 0o777;
  expect(['.', 'host.json', 'nft-list.txt'].map(modeOf)).toEqual([0o700, 0o600, 0o600]);
});

test('what changes the host is done and not recorded', async () => {
  const folder = temporaryFolder();
  const recorder = await recordingHost(machine(folder), join(folder, 'recording'));
  expect(await recorder.run({ tool: 'nft', args: ['list'], input: 'x' })).toMatchObject({ exitCode: 0 });
  expect(await recorder.writeDurably(join(folder, 'written'), 'text')).toEqual({ kind: 'written' });
  const file = { text: 'text', mode: 0o600, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const installed = join(folder, 'made/installed');
  expect(await recorder.installFile(installed, file)).toEqual({ kind: 'written' });
  expect(await recorder.fileStatus(installed)).toMatchObject({ kind: 'file', mode: 0o600 });
  expect(await recorder.removeFile(installed)).toEqual({ kind: 'written' });
  expect(await recorder.removeEmptyFolder(join(folder, 'made'))).toEqual({ kind: 'written' });
  expect(await recorder.kubePatch('/api/v1/nodes/a', '[]')).toEqual({ kind: 'patched', body: '[]' });
  expect(await recorder.kubeApply('/api/v1/nodes/a', '{}')).toEqual({ kind: 'patched', body: '{}' });
  expect(await recorder.kubeDelete('/api/v1/nodes/a', { uid: 'u', resourceVersion: '1' })).toEqual({
    kind: 'patched',
    body: 'u',
  });
  await recorder.finish();
  expect(readFileSync(join(folder, 'written'), 'utf8')).toBe('text');
  const replay = await replayingHost(join(folder, 'recording'));
  expect(await replay.run({ tool: 'nft', args: ['list'] })).toMatchObject({ kind: 'absent' });
  expect(readdirSync(join(folder, 'recording'))).toEqual(['host.json']);
});

test('secrets are given to who asks and kept out of the recording', async () => {
  const folder = temporaryFolder();
  const secret = 'c2VjcmV0LWtleQ';
  for (const name of ['k3s.yaml', 'kubeproxy.kubeconfig', 'client.key'])
    writeFileSync(join(folder, name), secret);
  const inner: Host = {
    ...machine(folder),
    kubeGet: async () => ({ kind: 'ok', body: secret, source: 'the API' }),
    listProcesses: async () => [
      {
        pid: 1,
        name: 'k3s-server',
        args: ['k3s', 'server', '--token', secret, `--datastore-endpoint=${secret}`],
      },
      { pid: 2, name: 'k3s-agent', args: ['k3s', '-t', secret, `--server=https://u:${secret}@h:6443`] },
      { pid: 3, name: 'mysqld', args: ['mysqld', '-p', secret] },
      { pid: 4, name: 'postgres', args: [`postgres: ${secret}`] },
    ],
  };
  const recording = join(folder, 'recording');
  const recorder = await recordingHost(inner, recording);
  for (const name of ['k3s.yaml', 'kubeproxy.kubeconfig', 'client.key']) {
    expect(await recorder.readFile(join(folder, name))).toEqual({ kind: 'read', text: secret });
  }
  await recorder.kubeGet('/api/v1/secrets');
  await recorder.kubeGet('/api/v1/namespaces/default/secrets/x');
  await recorder.listProcesses();
  await recorder.finish();

  expect(readdirSync(recording)).toEqual(['host.json']);
  expect(readFileSync(join(recording, 'host.json'), 'utf8')).not.toContain(secret);
  const replay = await replayingHost(recording);
  expect(await replay.readFile(join(folder, 'k3s.yaml'))).toEqual({
    kind: 'unreadable',
    reason: 'not recorded: secret',
  });
  expect((await replay.listProcesses()).map(({ args }) => args)).toEqual([
    ['k3s', 'server', '--token', '***', '--datastore-endpoint=***'],
    ['k3s', '-t', '***', '--server=https://***@h:6443'],
    ['mysqld'],
    ['postgres:'],
  ]);
});

test.each([
  ['in use', (folder: string) => folder, /is not empty$/],
  [
    'below a file',
    (folder: string) => join(folder, 'file/recording'),
    /cannot be written there: .*\(ENOTDIR\)$/,
  ],
])('a folder %s is refused before anything is asked', async (_, target, message) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  await expect(recordingHost(machine(folder), target(folder))).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(message),
  });
});
