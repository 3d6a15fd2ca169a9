import { newRunId } from '../engine/run-id.ts';
import { checkCommand } from './check-command.ts';
import { scheduleRuns } from './daemon/schedule-runs.ts';
import { fixCommand } from './fix-command.ts';
import { createLogger } from './logger.ts';
import { openHost } from './open-host.ts';
import type { RunOptions } from './options.ts';
import { stopOnSignals } from './stop-on-signals.ts';

export type DaemonCommandOptions = Pick<RunOptions, 'config' | 'kubeconfig' | 'logLevel'>;

/**
 * Runs the configured schedule in this process until SIGTERM or SIGINT, then ends the run at work in
 * good order. Returns the exit code. The configuration is read once; what is wrong with it, or with
 * the rights of this process, is thrown at once and not at the first run.
 */
export async function daemonCommand(options: DaemonCommandOptions): Promise<number> {
  const runLog = createLogger(options.logLevel);
  const log = runLog.child({ run: newRunId({ now: new Date(), pid: process.pid }) });
  const runOptions = { ...options, format: 'log', failOn: 'error', color: false } as const;
  const { config } = await openHost(runOptions);
  await scheduleRuns({
    ...config.schedule,
    log,
    signal: stopOnSignals(log),
    runScheduled: async ({ verb, checks = [] }, signal) => {
      const inherited = { loadedConfig: config, log: runLog, signal };
      const exitCode =
        verb === 'check'
          ? await checkCommand(checks, runOptions, inherited)
          : await fixCommand(checks, { ...runOptions, unattended: true }, inherited);
      return { exitCode, summary: summaries[exitCode] ?? `exit code ${exitCode}` };
    },
  });
  log.info('stopped');
  return 0;
}

/** docs/exit-codes.md in a few words. */
const summaries: Readonly<Record<number, string>> = {
  0: 'nothing is left to do',
  1: 'problems remain',
  2: 'something could not be determined',
  3: 'a fix failed',
  4: 'nothing was done: another run is at work, or fixing is paused',
};
