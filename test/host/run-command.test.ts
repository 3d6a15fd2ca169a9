import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type Execution, runCommand } from '../../src/host/run-command.ts';
import { fakeProgram, temporaryFolder } from './temporary-folder.ts';

function shell(script: string, options: Partial<Execution> = {}) {
  return runCommand({ argv: ['/bin/sh', '-c', script], timeoutMs: 5000, ...options });
}

test('gives exit code, output and error output apart', async () => {
  expect(await shell('echo out; echo err >&2; exit 3')).toEqual({
    kind: 'exited',
    exitCode: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  });
});

test('passes arguments on untouched by any shell', async () => {
  const program = fakeProgram(join(temporaryFolder(), 'show'), 'printf "[%s]" "$@"');
  const argv = [program, 'a b', '$HOME', '*', '"', ''];
  expect(await runCommand({ argv, timeoutMs: 5000 })).toMatchObject({ stdout: '[a b][$HOME][*]["][]' });
});

test('the environment is fixed, whatever this process has', async () => {
  process.env['K3S_DOCTOR_TEST_SECRET'] = 'x';
  const result = await runCommand({ argv: ['/usr/bin/env'], timeoutMs: 5000 });
  delete process.env['K3S_DOCTOR_TEST_SECRET'];
  const lines = result.kind === 'exited' ? result.stdout.trim().split('\n').sort() : [];
  expect(lines).toEqual([
    'HOME=/root',
    expect.stringMatching(new RegExp(`^K3S_DOCTOR_RUN_BY=${process.pid} \\d+$`)),
    'LC_ALL=C',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  ]);
});

test('input reaches the program; without input it reads an end of file', async () => {
  expect(await shell('cat', { input: 'hällo\n' })).toMatchObject({ stdout: 'hällo\n' });
  expect(await shell('cat')).toMatchObject({ exitCode: 0, stdout: '' });
});

test('a program that does not read its input is not a failure', async () => {
  const input = 'x'.repeat(4_000_000);
  expect(await shell('exit 0', { input })).toMatchObject({ kind: 'exited', exitCode: 0 });
  expect(await shell('exit 4', { input })).toMatchObject({ kind: 'exited', exitCode: 4 });
});

test('latin1 keeps every byte, in both directions', async () => {
  const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, index) => index));
  expect(await shell('cat', { input: bytes, encoding: 'latin1' })).toMatchObject({ stdout: bytes });
});

test('characters that are split between two reads arrive whole', async () => {
  expect(await shell(String.raw`printf '\303'; sleep 0.1; printf '\244'`)).toMatchObject({ stdout: 'ä' });
});

test('a large output arrives complete', async () => {
  const result = await shell('yes 0123456789abcde | head -n 1000000', { encoding: 'latin1' });
  expect(result).toMatchObject({ kind: 'exited', exitCode: 0 });
  const text = result.kind === 'exited' ? result.stdout : '';
  expect(text.length).toBe(16_000_000);
  expect(text === '0123456789abcde\n'.repeat(1_000_000)).toBe(true);
});

test('one that prints without end is stopped', async () => {
  const result = await shell('yes', { maxOutputBytes: 1_000_000 });
  expect(result).toEqual({ kind: 'failed-to-start', reason: '/bin/sh printed more than 1000000 bytes' });
});

test('of endless error output the beginning is kept', async () => {
  const result = await shell('echo first >&2; yes 2>/dev/null | head -c 3000000 >&2; echo out');
  expect(result).toMatchObject({ kind: 'exited', stdout: 'out\n' });
  const stderr = result.kind === 'exited' ? result.stderr : '';
  expect(stderr.startsWith('first\n')).toBe(true);
  expect(stderr.length).toBe(1024 * 1024);
});

test('one that hangs is killed at its timeout', async () => {
  const before = Date.now();
  expect(await shell('sleep 100', { timeoutMs: 200 })).toEqual({ kind: 'timeout', timeoutMs: 200 });
  expect(Date.now() - before).toBeLessThan(2000);
});

test('a child in which a wrapper hangs is killed too', async () => {
  const pidFile = join(temporaryFolder(), 'pid');
  const before = Date.now();
  const script = `sleep 100 & echo $! > ${pidFile}; wait; echo never`;
  expect(await shell(script, { timeoutMs: 300 })).toEqual({ kind: 'timeout', timeoutMs: 300 });
  expect(Date.now() - before).toBeLessThan(2000);
  expect(await isGone(readFileSync(pidFile, 'utf8').trim())).toBe(true);
});

test('a program that ignores SIGTERM is killed as well', async () => {
  const script = 'trap "" TERM INT HUP; while true; do sleep 0.05; done';
  expect(await shell(script, { timeoutMs: 300 })).toEqual({ kind: 'timeout', timeoutMs: 300 });
});

test('a process that left the group and keeps the pipes open holds up neither the result nor our end', () => {
  const module = fileURLToPath(new URL('../../src/host/run-command.ts', import.meta.url));
  const program = `
    const { runCommand } = await import(${JSON.stringify(module)});
    const argv = ['/bin/sh', '-c', 'setsid sleep 5 & exit 0'];
    console.log(JSON.stringify(await runCommand({ argv, timeoutMs: 300 })));`;
  const before = Date.now();
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  expect(JSON.parse(output)).toEqual({ kind: 'timeout', timeoutMs: 300 });
  expect(Date.now() - before).toBeLessThan(4000);
});

test('one that a signal ends has the exit code that a shell would give', async () => {
  expect(await shell('kill -SEGV $$')).toMatchObject({ kind: 'exited', exitCode: 139 });
});

test('one that cannot be executed has not started, and it is said why', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'text'), 'x', { mode: 0o644 });
  writeFileSync(join(folder, 'script'), '#!/no/such/interpreter\n', { mode: 0o755 });
  const reasonOf = async (program: string) => runCommand({ argv: [join(folder, program)], timeoutMs: 5000 });
  expect(await reasonOf('text')).toEqual({
    kind: 'failed-to-start',
    reason: `${folder}/text cannot be started: no right to execute it`,
  });
  expect(await reasonOf('script')).toEqual({
    kind: 'failed-to-start',
    reason: `${folder}/script cannot be started: it, or the interpreter it names, does not exist`,
  });
});

test('runs in the root folder, so that it does not matter if ours was deleted', async () => {
  expect(await shell('pwd')).toMatchObject({ stdout: '/\n' });
});

async function isGone(pid: string): Promise<boolean> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const isZombie = existsSync(`/proc/${pid}`) && /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    if (isZombie || !existsSync(`/proc/${pid}`)) return true;
    await sleep(20);
  }
  return false;
}
