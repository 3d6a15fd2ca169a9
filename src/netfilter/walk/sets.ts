import { type Answer, unknown } from './answer.ts';
import type { Flight } from './flight.ts';
import type { SetsReadingState } from './reading.ts';

/** Whether a set of ipset(8) has the packet. */
export function matchesSet(
  _sets: SetsReadingState,
  name: string,
  _flight: Flight,
  _directions: readonly string[],
): Answer {
  return unknown(`set ${name} is not evaluated yet`);
}
