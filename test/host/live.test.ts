import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type LiveHostOptions, liveHost } from '../../src/host/live.ts';
import { noCluster } from './no-cluster.ts';
import { fakeProgram, temporaryFolder } from './temporary-folder.ts';

function hostWith(options: Partial<LiveHostOptions>) {
  return liveHost({
    commands: {},
    paths: { k3sData: '/no/such/k3s' },
    kube: noCluster,
    ...options,
  });
}

test('runs the configured command line with the arguments behind it', async () => {
  const program = fakeProgram(join(temporaryFolder(), 'fake'), 'echo "$@"; cat');
  const host = hostWith({ commands: { nft: [program, '--first'] } });
  expect(await host.run({ tool: 'nft', args: ['list', 'tables'], input: 'text' })).toEqual({
    kind: 'exited',
    exitCode: 0,
    stdout: '--first list tables\ntext',
    stderr: '',
  });
});

test('a tool that is not there is a result, with what was looked at', async () => {
  const host = hostWith({ commands: { crictl: ['/no/such/crictl'] } });
  expect(await host.run({ tool: 'crictl', args: ['pods'] })).toEqual({
    kind: 'absent',
    looked: ['/no/such/crictl'],
  });
});

test('a tool is looked up once', async () => {
  const path = join(temporaryFolder(), 'late');
  const host = hostWith({ commands: { crictl: [path] } });
  expect((await host.run({ tool: 'crictl', args: [] })).kind).toBe('absent');
  fakeProgram(path, 'exit 0');
  expect((await host.run({ tool: 'crictl', args: [] })).kind).toBe('absent');
  expect((await hostWith({ commands: { crictl: [path] } }).run({ tool: 'crictl', args: [] })).kind).toBe(
    'exited',
  );
});

test('a tool is located as it would be run, and the doctor is this very program unless configured', () => {
  const program = fakeProgram(join(temporaryFolder(), 'doctor'), 'exit 0');
  const host = hostWith({ commands: { crictl: ['/no/such/crictl'], nft: [program, '--first'] } });
  expect(host.locate('nft')).toEqual([program, '--first']);
  expect(host.locate('crictl')).toBeUndefined();
  expect(host.locate('k3s-doctor')).toEqual([process.execPath, ...process.execArgv, process.argv[1]]);
  expect(hostWith({ commands: { 'k3s-doctor': [program] } }).locate('k3s-doctor')).toEqual([program]);
});

test('the doctor, run or started, is told the way to the cluster, and no other program is', async () => {
  const folder = temporaryFolder();
  const started = join(folder, 'started');
  const program = fakeProgram(
    join(folder, 'program'),
    `echo "$KUBECONFIG $LC_ALL $SECRET"\nif [ "$1" = started ]; then echo "$KUBECONFIG" >"$2.new"; mv "$2.new" "$2"; fi`,
  );
  process.env['SECRET'] = 'leaked';
  onTestFinished(() => void delete process.env['SECRET']);
  const host = hostWith({
    commands: { 'k3s-doctor': [program], nft: [program] },
    selfEnvironment: { KUBECONFIG: '/a:/b' },
  });
  expect(host.selfEnvironment).toEqual({ KUBECONFIG: '/a:/b' });
  expect(await host.run({ tool: 'k3s-doctor', args: [] })).toMatchObject({ stdout: '/a:/b C \n' });
  expect(await host.run({ tool: 'nft', args: [] })).toMatchObject({ stdout: ' C \n' });
  expect(await host.startDetached([program, 'started', started])).toEqual({ kind: 'written' });
  await vi.waitFor(() => expect(readFileSync(started, 'utf8')).toBe('/a:/b\n'), { timeout: 3000 });
});

test('a line is appended in UTF-8, a file is written byte by byte', async () => {
  const folder = temporaryFolder();
  const host = hostWith({});
  await host.appendDurably(join(folder, 'lines'), 'a');
  await host.appendDurably(join(folder, 'lines'), 'ä→');
  await host.writeDurably(join(folder, 'bytes'), '\u00ff');
  expect(readFileSync(join(folder, 'lines'), 'utf8')).toBe('a\nä→\n');
  expect(readFileSync(join(folder, 'bytes'))).toEqual(Buffer.from([0xff]));
});

test("a command's timeout goes before the configured one", async () => {
  const program = fakeProgram(join(temporaryFolder(), 'hang'), 'sleep 100');
  const host = hostWith({ commands: { nft: [program] }, commandTimeoutMs: 200 });
  expect(await host.run({ tool: 'nft', args: [] })).toEqual({ kind: 'timeout', timeoutMs: 200 });
  expect(await host.run({ tool: 'nft', args: [], timeoutMs: 100 })).toEqual({
    kind: 'timeout',
    timeoutMs: 100,
  });
});

test('reads a file of the kernel that says it is empty', async () => {
  const file = await hostWith({}).readFile('/proc/self/stat');
  expect(file).toMatchObject({ kind: 'read', text: expect.stringMatching(/^\d+ \(/) });
});

test('the cluster is asked and changed through what it was given', async () => {
  const host = hostWith({
    kube: {
      get: async (path) => ({ kind: 'ok', body: path, source: 'test' }),
      patch: async (path, patch) => ({ kind: 'patched', body: `${path} ${patch}` }),
      apply: async (path, manifest) => ({ kind: 'patched', body: `apply ${path} ${manifest}` }),
      remove: async (path, { uid }) => ({ kind: 'patched', body: `remove ${path} ${uid}` }),
    },
  });
  expect(await host.kubeGet('/api/v1/nodes')).toEqual({ kind: 'ok', body: '/api/v1/nodes', source: 'test' });
  expect(await host.kubePatch('/api/v1/nodes/a', '[]')).toEqual({
    kind: 'patched',
    body: '/api/v1/nodes/a []',
  });
  expect(await host.kubeApply('/a', '{}')).toEqual({ kind: 'patched', body: 'apply /a {}' });
  expect(await host.kubeDelete('/a', { uid: 'u', resourceVersion: '1' })).toEqual({
    kind: 'patched',
    body: 'remove /a u',
  });
});

test('sees its own process, with its name and arguments', async () => {
  const processes = await hostWith({}).listProcesses();
  const own = processes.find(({ pid }) => pid === process.pid);
  expect(own?.name).toBe(readFileSync('/proc/self/comm', 'utf8').trim());
  expect(own?.args.length).toBeGreaterThan(0);
});

test('its clock is the clock', async () => {
  expect(Math.abs(hostWith({}).now().getTime() - Date.now())).toBeLessThan(1000);
});
