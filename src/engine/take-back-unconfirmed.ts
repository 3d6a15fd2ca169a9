import { setTimeout as sleep } from 'node:timers/promises';
import { DoctorError } from '../doctor-error.ts';
import { type Lock, takeLock } from './lock.ts';
import { processStart } from './process-identity.ts';
import { readJournal, readOpenRun } from './read-journal.ts';
import { type Settled, settle } from './settle.ts';
import type { Site } from './site.ts';

export interface Unconfirmed extends Site {
  /** The run that is to be taken back unless it was confirmed. */
  readonly target: string;
  /** Of the lock's holder. */
  readonly runId: string;
  /** How long to wait first; shorter if the run ends before. */
  readonly afterSeconds: number;
}

/**
 * What the dead man's switch does when it goes off: takes back a run that was not confirmed in time.
 * A process that still holds the lock for that run is hanging by then, and is killed.
 *
 * @returns how the run was brought to an end; undefined when it had ended or stands.
 */
export async function takeBackUnconfirmed(options: Unconfirmed): Promise<Settled | undefined> {
  const { host, config, target, afterSeconds } = options;
  // The name of the open run goes when it ends: cheap to look at, unlike its journal.
  for (let waited = 0; waited < afterSeconds; waited++) {
    if ((await readOpenRun(host, config)) !== target) return undefined;
    await sleep(1000);
  }
  const lock = await takeLockFrom(options);
  try {
    const isStillOpen = (await readOpenRun(host, config)) === target;
    return lock && isStillOpen ? await settle(options, true) : undefined;
  } finally {
    await lock?.release();
  }
}

/** A run that was confirmed stands: what is left of it to do is for the next run. */
async function hasEnded({ host, config, target }: Unconfirmed): Promise<boolean> {
  if ((await readOpenRun(host, config)) !== target) return true;
  const run = await readJournal(host, config, target);
  return run?.confirmed === true || run?.end !== undefined;
}

const patienceSeconds = 30;

/** Undefined when the run ends while its lock is waited for: whoever holds it then is at work on another. */
async function takeLockFrom(options: Unconfirmed): Promise<Lock | undefined> {
  for (let waited = 0; ; waited++) {
    if (await hasEnded(options)) return undefined;
    try {
      return await takeLock({ ...options, verb: 'undo' });
    } catch (error) {
      const isLocked = error instanceof DoctorError && error.code === 'locked';
      if (!isLocked || waited > patienceSeconds + 10) throw error;
    }
    if (waited === patienceSeconds) await killWorker(options);
    await sleep(1000);
  }
}

/** Only the very process that began the run, and only while it is at work on it. */
async function killWorker(options: Unconfirmed): Promise<void> {
  const { host, config, target } = options;
  const run = await readJournal(host, config, target);
  if (!run || run.begin.processStart === '' || (await hasEnded(options))) return;
  if ((await processStart(host, run.begin.pid)) !== run.begin.processStart) return;
  host.killProcess(run.begin.pid);
}
