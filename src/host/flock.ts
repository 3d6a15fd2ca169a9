import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LockResult } from './host.ts';
import { makeFolder } from './make-folder.ts';

/**
 * Takes an exclusive flock(2). Node has no call for it, so the `flock` program takes it on our own
 * open file: the lock belongs to the open file, not to the program, and goes when this process does.
 */
export async function takeLock(path: string, holder: string, flock: readonly string[]): Promise<LockResult> {
  const [program, ...args] = flock;
  if (program === undefined) return { kind: 'failed', reason: 'there is no flock program' };
  try {
    await makeFolder(dirname(path), 0o755);
    const file = await open(path, 'a+', 0o600);
    const exitCode = await runFlock(program, [...args, '--nonblock', '3'], file.fd);
    if (exitCode === 0) {
      await file.truncate(0);
      await file.writeFile(`${holder}\n`);
      return { kind: 'held', release: () => file.close() };
    }
    const words = await file.readFile('utf8');
    await file.close();
    if (exitCode === 1) return { kind: 'busy', holder: words.trim() };
    return { kind: 'failed', reason: `flock ended with exit code ${exitCode}` };
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** node:child_process, because execa does not type an inherited descriptor beyond the first three. */
async function runFlock(program: string, args: readonly string[], fd: number): Promise<number | null> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'ignore', fd],
    env: { LC_ALL: 'C' },
    timeout: 5000,
    killSignal: 'SIGKILL',
  });
  const [exitCode] = await once(child, 'exit');
  return exitCode;
}
