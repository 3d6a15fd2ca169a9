import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { killProcess } from '../../src/host/kill-process.ts';
import { startDetached } from '../../src/host/start-detached.ts';
import { thisProgram } from '../../src/host/this-program.ts';
import { fakeProgram, temporaryFolder } from './temporary-folder.ts';

async function contentOf(path: string): Promise<string> {
  for (let attempt = 0; attempt < 500 && !existsSync(path); attempt++) await delay(5);
  return readFileSync(path, 'utf8');
}

test('a detached program has a session, a folder and an environment of its own, and no input', async () => {
  const folder = temporaryFolder();
  const out = join(folder, 'out');
  const script = `{ cut -d' ' -f1,6 /proc/$$/stat; pwd; echo "$PATH $LC_ALL $HOME $SECRET"; readlink /proc/$$/fd/0; echo "$@"; } >${out}.new; mv ${out}.new ${out}`;
  process.env['SECRET'] = 'leaked';
  onTestFinished(() => void delete process.env['SECRET']);
  expect(await startDetached([fakeProgram(join(folder, 'program'), script), 'a b'])).toEqual({
    kind: 'written',
  });
  const [ids = '', cwd, env, input, args] = (await contentOf(out)).split('\n');
  const [pid, session] = ids.split(' ');
  expect(session).toBe(pid);
  expect([cwd, env, input, args]).toEqual([
    '/',
    '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin C /root ',
    '/dev/null',
    'a b',
  ]);
});

test('a detached program that cannot be started is told', async () => {
  expect(await startDetached(['/no/such/program'])).toEqual({
    kind: 'failed',
    reason: expect.stringMatching(/^\/no\/such\/program cannot be started: .*ENOENT/),
  });
  expect(await startDetached([])).toMatchObject({ kind: 'failed' });
});

test('a process is killed, and then there is none any more', async () => {
  const child = spawn('sleep', ['60']);
  const { pid = 0 } = child;
  expect(killProcess(pid)).toBe(true);
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  expect(killProcess(pid)).toBe(false);
});

test.each([0, -1, -process.pid, 1, process.pid, 1.5, Number.NaN])(
  'process %d, a group or ourselves, is never killed',
  (pid) => {
    // If it were tried, this would end more than the test.
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    onTestFinished(() => kill.mockRestore());
    expect(killProcess(pid)).toBe(false);
    expect(kill).not.toHaveBeenCalled();
  },
);

test('this program is found by the file it came from', () => {
  expect(thisProgram()).toEqual([process.execPath, ...process.execArgv, process.argv[1]]);
});
