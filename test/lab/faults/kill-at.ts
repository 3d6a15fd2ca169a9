import { fileURLToPath } from 'node:url';
import type { BrokenNode } from './broken-node.ts';

/** What the process asks of the kernel, and at which time of asking it is killed. */
export interface KillPoint {
  readonly call: 'fsync' | 'rename' | 'unlink';
  readonly nth: number;
  /** Of a run that was not killed; default 0. */
  readonly expectedExitCode?: number;
}

/**
 * Runs the command and kills it with SIGKILL when it makes a system call for the nth time. All of them
 * come from one thread, so that they can be counted. Returns whether it came to that.
 */
export async function killAt(
  node: BrokenNode,
  args: readonly string[],
  { call, nth, expectedExitCode = 0 }: KillPoint,
): Promise<boolean> {
  // A tracer beside it, not above it: it also follows the watchdog, and ends only with that.
  const strace = `strace -D -f -qq -o /dev/null -e trace=${call} -e inject=${call}:signal=KILL:when=${nth}`;
  const { exitCode } = await node.exec(
    [
      'sh',
      '-c',
      `exec ${strace} "$0" "$@" >/run/lab/printed 2>&1 </dev/null`,
      process.execPath,
      main,
      ...args,
    ],
    { env: { UV_THREADPOOL_SIZE: '1' } },
  );
  if (exitCode === 137) return true;
  if (exitCode === expectedExitCode) return false;
  throw new Error(`${args.join(' ')}: exit code ${exitCode}, ${await node.readFile('/run/lab/printed')}`);
}

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
