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
  for (let waited = 0; waited < afterSeconds; waited++) {
    if (await hasEnded(options)) return undefined;
    await sleep(1000);
  }
  if (await hasEnded(options)) return undefined;
  const lock = await takeLockFrom(options);
  try {
    const isStillOpen = (await readOpenRun(host, config)) === target;
    return isStillOpen ? await settle(options, true) : undefined;
  } finally {
    await lock.release();
  }
}

/** A run that was confirmed stands: what is left of it to do is for the next run. */
async function hasEnded({ host, config, target }: Unconfirmed): Promise<boolean> {
  if ((await readOpenRun(host, config)) !== target) return true;
  const run = await readJournal(host, config, target);
  return run?.confirmed === true || run?.end !== undefined;
}

async function takeLockFrom(options: Unconfirmed): Promise<Lock> {
  const request = { ...options, verb: 'undo' };
  try {
    return await takeLock({ ...request, waitMs: 30_000 });
  } catch (error) {
    if (!(error instanceof DoctorError) || error.code !== 'locked') throw error;
    if (!(await killWorker(options))) throw error;
    return takeLock({ ...request, waitMs: 10_000 });
  }
}

/** Only the very process that began the run: its pid may be somebody else's by now. */
async function killWorker({ host, config, target }: Unconfirmed): Promise<boolean> {
  const run = await readJournal(host, config, target);
  if (!run || run.confirmed || run.begin.processStart === '') return false;
  if ((await processStart(host, run.begin.pid)) !== run.begin.processStart) return false;
  return host.killProcess(run.begin.pid);
}
