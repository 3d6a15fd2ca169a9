import type { Config } from '../config/config.ts';
import { DoctorError } from '../doctor-error.ts';
import { describePause } from '../engine/guards/pause.ts';
import { minutesAfter } from '../engine/guards/times.ts';
import type { Host } from '../host/host.ts';
import { changeState, type Said } from './change-state.ts';
import { openHost } from './open-host.ts';
import { parseDuration } from './parse-duration.ts';
import { print } from './print.ts';
import { requireRoot } from './require-root.ts';

export interface PauseCommandOptions {
  readonly reason: string;
  /** `30m`, `2h`, `1d`; without it until `doctor resume`. */
  readonly for?: string;
  readonly config?: string;
}

/** Stops all repairs on this node for a time, a person's and the timer's. Returns the exit code. */
export async function pauseCommand(options: PauseCommandOptions): Promise<number> {
  const reason = options.reason.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  if (reason === '') {
    throw new DoctorError('usage', 'a pause needs a reason', {
      hint: 'say for whoever comes next why nothing is to be repaired: --reason TEXT',
    });
  }
  const minutes = options.for === undefined ? undefined : parseDuration(options.for);
  requireRoot('to pause repairs');
  const { host, config } = await openHost(options);
  const { said, problems } = await pauseRepairs(host, config, { reason, minutes });
  for (const problem of problems) process.stderr.write(`doctor: ${problem}\n`);
  await print(`${said}\n`);
  return 0;
}

/** Replaces a pause that there is. `minutes` undefined: until `doctor resume`. */
export async function pauseRepairs(
  host: Host,
  config: Config,
  { reason, minutes }: { readonly reason: string; readonly minutes: number | undefined },
): Promise<Said> {
  const { after, problems } = await changeState(host, config, {
    verb: 'pause',
    outcome: 'paused',
    change: (state, { by, now }) => ({
      ...state,
      paused: {
        reason,
        by,
        at: now.toISOString(),
        ...(minutes !== undefined && { until: minutesAfter(now, minutes) }),
      },
    }),
    why: (_, { paused }) => (paused ? [describePause(paused)] : []),
  });
  return { said: after?.paused ? `Repairs are ${describePause(after.paused)}` : '', problems };
}
