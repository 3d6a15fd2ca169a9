import { once } from 'node:events';
import type { Logger } from 'pino';
import type { ScheduledRun } from '../../config/config.ts';
import { DoctorError } from '../../doctor-error.ts';
import { exitCodes } from '../exit-code.ts';

export interface ScheduleOptions {
  readonly runs: readonly ScheduledRun[];
  readonly jitterSeconds: number;
  readonly runScheduled: RunScheduled;
  readonly log: Logger;
  /** Ends the schedule. */
  readonly signal: AbortSignal;
}

/** Does one run. When the signal comes it finishes the step at work, settles the run and returns. */
export type RunScheduled = (run: ScheduledRun, signal: AbortSignal) => Promise<RunResult>;

export interface RunResult {
  readonly exitCode: number;
  /** For a person, a few words. */
  readonly summary: string;
}

/** A run that reads many rules keeps the event loop busy for seconds; what falls due then is late, not lost. */
const latenessMs = 60_000;
const clockWatchMs = 10_000;

/**
 * Does the runs of a schedule, one at a time, until the signal; returns when the run that is at work
 * then has ended. A run that falls due while another is at work waits for it, and is left out while
 * it waits or works itself. A run that fails does not end the schedule.
 */
export async function scheduleRuns(options: ScheduleOptions): Promise<void> {
  const { runs, jitterSeconds, log, signal } = options;
  // Loaded here: no other command needs it.
  const { schedule } = await import('node-cron');
  let last = Promise.resolve();
  const tasks = runs.map((run) => {
    const inTurn = () => {
      last = last.then(() => runOnce(run, options));
      return last;
    };
    const task = schedule(run.cron, inTurn, {
      noOverlap: true,
      maxRandomDelay: jitterSeconds * 1000,
      missedExecutionTolerance: latenessMs,
      logger: silent,
    });
    task.on('execution:overlap', () =>
      log.warn(about(run), `${run.verb} is left out: the one before is not over`),
    );
    task.on('execution:missed', () => log.warn(about(run), `${run.verb} is left out: its time has passed`));
    log.info({ ...about(run), cron: run.cron, next: task.getNextRun() }, `${run.verb} is scheduled`);
    return task;
  });
  // The library sleeps until a time of day: set back, the clock would make that sleep longer by as much,
  // and set forward, it would go through every time that was left out.
  const clock = watchClock(() => {
    log.warn('the clock was set: the schedule begins anew');
    for (const task of tasks) void Promise.resolve(task.stop()).then(() => task.start());
  });
  if (!signal.aborted) await once(signal, 'abort');
  clearInterval(clock);
  await Promise.all(tasks.map((task) => task.destroy()));
  await last;
}

/** Never rejects: whatever happens to one run, the next one has its turn. */
async function runOnce(run: ScheduledRun, { runScheduled, log, signal }: ScheduleOptions): Promise<void> {
  if (signal.aborted) return;
  try {
    const { exitCode, summary } = await runScheduled(run, signal);
    log[levelOf(exitCode)]({ ...about(run), exitCode }, `${run.verb} ends: ${summary}`);
  } catch (error) {
    if (!(error instanceof DoctorError)) {
      log.error({ ...about(run), err: error }, 'internal error, please report it');
      return;
    }
    const { code, message, hint } = error;
    const exitCode = exitCodes[code];
    log[levelOf(exitCode)]({ ...about(run), exitCode }, `${run.verb}: ${message}${hint ? `; ${hint}` : ''}`);
  }
}

/** 4, another run at work or a pause, is no fault. */
function levelOf(exitCode: number): 'info' | 'warn' | 'error' {
  if (exitCode === 0 || exitCode === exitCodes.locked) return 'info';
  return exitCode <= exitCodes.undetermined ? 'warn' : 'error';
}

function about({ verb, checks }: ScheduledRun) {
  return { verb, checks: checks ?? 'all' };
}

function watchClock(onJump: () => void): NodeJS.Timeout {
  let expected = Date.now() + clockWatchMs;
  return setInterval(() => {
    if (Math.abs(Date.now() - expected) > latenessMs) onJump();
    expected = Date.now() + clockWatchMs;
  }, clockWatchMs);
}

/** What it has to say comes as events, too; left alone it writes to standard output. */
const silent = { info() {}, warn() {}, error() {}, debug() {} };
