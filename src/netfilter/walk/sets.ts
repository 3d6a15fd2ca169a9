import { type Answer, some, unknown } from './answer.ts';
import type { Flight } from './flight.ts';
import type { IpSet, SetsReadingState } from './reading.ts';
import { createSetIndex, type SetIndex } from './sets/set-index.ts';

/**
 * Whether a set of ipset(8) has the packet: `--match-set NAME src,dst`. Elements with a timeout count as
 * long as they are listed.
 */
export function matchesSet(
  sets: SetsReadingState,
  name: string,
  flight: Flight,
  directions: readonly string[],
): Answer {
  if (sets.kind === 'unknown') return unknown(`set ${name} is not known: ${sets.reason}`);
  const set = sets.kind === 'present' ? sets.sets.get(name) : undefined;
  if (!set || sets.kind !== 'present') return unknown(`set ${name} is not listed`);
  if (set.type !== 'list:set') return indexOf(set).has(flight, directions);
  return some(set.entries.map(([member = '']) => matchesMember(sets, member, flight, directions)));
}

function matchesMember(
  sets: SetsReadingState,
  name: string,
  flight: Flight,
  directions: readonly string[],
): Answer {
  const isList = sets.kind === 'present' && sets.sets.get(name)?.type === 'list:set';
  return isList ? unknown(`set ${name} is a list within a list`) : matchesSet(sets, name, flight, directions);
}

const indexes = new WeakMap<IpSet, SetIndex>();

function indexOf(set: IpSet): SetIndex {
  const known = indexes.get(set);
  if (known) return known;
  const index = createSetIndex(set);
  indexes.set(set, index);
  return index;
}
