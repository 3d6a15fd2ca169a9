import { setTimeout as sleep } from 'node:timers/promises';
import { DoctorError } from '../doctor-error.ts';
import { exitCodes } from './exit-code.ts';
import { fixCommand } from './fix-command.ts';
import { createLogger } from './logger.ts';
import type { FixCommandOptions } from './options.ts';
import { stopOnSignals } from './stop-on-signals.ts';

/**
 * An unattended fix, and again every few seconds until all is well or the time is over: a unit that is
 * started at a boot comes before the pods' network is there, and nothing is repaired that was not seen
 * twice. Returns the exit code of the last one.
 *
 * Not repeated: a fix that failed, and one that a pause forbids.
 */
export async function fixPatiently(
  ids: readonly string[],
  options: FixCommandOptions,
  patienceSeconds: number,
): Promise<number> {
  if (!options.unattended) {
    throw new DoctorError('usage', '--patience goes with --unattended alone', {
      hint: 'a person can look again when he likes',
    });
  }
  const signal = stopOnSignals(createLogger(options.logLevel));
  const deadline = performance.now() + patienceSeconds * 1000;
  for (;;) {
    const isLast = performance.now() + pauseMs > deadline;
    const exitCode = await attempt(isLast);
    if (isLast || exitCode === 0 || exitCode === exitCodes['fix-failed']) return exitCode;
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return exitCode;
  }

  /** Somebody else's run is waited for. */
  async function attempt(isLast: boolean): Promise<number> {
    try {
      return await fixCommand(ids, options, { signal });
    } catch (error) {
      if (isLast || !(error instanceof DoctorError) || error.code !== 'locked') throw error;
      return exitCodes.locked;
    }
  }
}

const pauseMs = 8000;
