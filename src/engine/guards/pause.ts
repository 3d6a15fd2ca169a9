import type { Pause, State } from './state.ts';
import { ageMs, showTime } from './times.ts';

/** The pause that holds now; undefined when there is none, or it has run out. */
export function pauseOf({ paused }: State, now: Date): Pause | undefined {
  if (paused?.until !== undefined && ageMs(paused.until, now) >= 0) return undefined;
  return paused;
}

/** `paused by alice (sudo) until 2026-11-21 15:04 UTC, because: moving the node` */
export function describePause({ by, until, reason }: Pause): string {
  return `paused by ${by} until ${until === undefined ? '"doctor resume" is run' : showTime(until)}, because: ${reason}`;
}
