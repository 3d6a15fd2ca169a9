import type { Config } from '../config/config.ts';
import { describePause, pauseOf } from '../engine/guards/pause.ts';
import type { State } from '../engine/guards/state.ts';
import { showTime } from '../engine/guards/times.ts';
import type { Host } from '../host/host.ts';
import { changeState, type Said } from './change-state.ts';
import { openHost } from './open-host.ts';
import { print } from './print.ts';
import { requireRoot } from './require-root.ts';

/** Ends a pause, and the rest that failed runs have imposed. Returns the exit code. */
export async function resumeCommand(options: { readonly config?: string }): Promise<number> {
  requireRoot('to resume repairs');
  const { host, config } = await openHost(options);
  const { said, problems } = await resumeRepairs(host, config);
  for (const problem of problems) process.stderr.write(`doctor: ${problem}\n`);
  await print(`${said}\n`);
  return 0;
}

export async function resumeRepairs(host: Host, config: Config): Promise<Said> {
  const describe = (state: State) => describeStops(state, host.now());
  const { before, problems } = await changeState(host, config, {
    verb: 'resume',
    outcome: 'resumed',
    change: (state) => {
      const { paused: _, ...rest } = state;
      return describe(state).length > 0 ? { ...rest, breaker: { failures: 0 } } : undefined;
    },
    why: describe,
  });
  const stops = describe(before);
  const said =
    stops.length > 0 ? `Repairs are made again. They were ${stops.join(' and ')}` : 'Nothing was paused.';
  return { said, problems };
}

function describeStops(state: State, now: Date): string[] {
  const pause = pauseOf(state, now);
  const { openUntil } = state.breaker;
  const isOpen = openUntil !== undefined && openUntil > now.toISOString();
  return [
    ...(pause ? [describePause(pause)] : []),
    ...(isOpen ? [`stopped until ${showTime(openUntil)} by failed runs (guards.breaker)`] : []),
  ];
}
