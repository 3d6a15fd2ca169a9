import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Environment, WriteResult } from './host.ts';
import { pinnedEnvironment } from './pinned-environment.ts';
import { describeSystemError } from './system-error.ts';

/**
 * Starts a program in a session of its own, without input and output, and lets go of it. `environment`
 * is added to the pinned one.
 */
export async function startDetached(
  argv: readonly string[],
  environment: Environment = {},
): Promise<WriteResult> {
  const [program, ...args] = argv;
  if (program === undefined) return { kind: 'failed', reason: 'there is nothing to start' };
  const child = spawn(program, args, {
    cwd: '/',
    env: { ...pinnedEnvironment, ...environment },
    detached: true,
    stdio: 'ignore',
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    return { kind: 'failed', reason: `${program} cannot be started: ${describeSystemError(error)}` };
  }
  child.unref();
  return { kind: 'written' };
}
