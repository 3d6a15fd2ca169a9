import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type LiveHostOptions, liveHost } from '../../src/host/live.ts';
import { fakeProgram, temporaryFolder } from './temporary-folder.ts';

function hostWith(options: Partial<LiveHostOptions>) {
  return liveHost({
    commands: {},
    paths: { k3sData: '/no/such/k3s' },
    kubeGet: async () => ({ kind: 'unavailable', reason: 'none here' }),
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

test('the cluster is asked through what it was given', async () => {
  const host = hostWith({ kubeGet: async (path) => ({ kind: 'ok', body: path, source: 'test' }) });
  expect(await host.kubeGet('/api/v1/nodes')).toEqual({ kind: 'ok', body: '/api/v1/nodes', source: 'test' });
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
