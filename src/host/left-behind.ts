import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { killProcess } from './kill-process.ts';
import { systemErrorCode } from './system-error.ts';

/** Goes into the environment of whatever is run: by it a program is known when its parent is gone. */
export function ownMark(): Readonly<Record<string, string>> {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return { [variable]: `${process.pid} ${started}` };
}

const variable = 'K3S_DOCTOR_RUN_BY';

/**
 * Ends with SIGKILL what a process had run, and what that had started, after it is gone itself: a program
 * that waits for a lock would write when nobody expects it any more. `started` is in clock ticks since boot.
 * Returns the ids of those that are still there.
 */
export async function endLeftBehind(pid: number, started: string): Promise<readonly number[]> {
  for (let tries = 0; tries < 20; tries++) {
    const left = findMarked(`${variable}=${pid} ${started}`);
    if (left.length === 0) return [];
    for (const each of left) killProcess(each);
    await sleep(50);
  }
  return findMarked(`${variable}=${pid} ${started}`);
}

/** What has ended and was not waited for has no environment any more. */
function findMarked(mark: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && readEnvironment(pid).split('\0').includes(mark));
}

function readEnvironment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return '';
  }
}
