import type { VisitList } from './flight.ts';
import { landed, sameness } from './start-flight.ts';
import { assumptionsOf } from './suppositions.ts';
import { type Traveller, united } from './traveller.ts';
import type { Unread } from './unread.ts';
import type { Assumption, Decision, End, Visit, Walk } from './walk.ts';
import { ownAssumption } from './ways.ts';

/** How one traveller's journey ended. */
export interface Finish {
  readonly traveller: Traveller;
  readonly fate: End['fate'];
  readonly way: End['way'];
  readonly decidedBy: Decision;
}

/** `unread`: rules that nobody could look at may do anything with the packet. */
export function decide(finished: readonly Finish[], unread: readonly Unread[]): Walk {
  const told = unread.map(({ rule, reason }): Assumption => ({ rule, kind: 'unknown', reason }));
  const ends = alike(finished).map((finish) =>
    toEnd(finish, [...told, ...assumptionsOf(finish.traveller.supposed)]),
  );
  const isStopped = ends.every(({ fate }) => fate !== 'pass');
  const [first] = isStopped ? unread.filter(({ onlyStops }) => !onlyStops) : unread;
  const example = finished[0];
  if (!first || !example) return { verdict: verdictOf(ends), ends };
  if (ends.some(({ fate }) => fate !== 'pass')) return { verdict: 'unknown', ends };
  const stopped: Finish = { ...example, fate: 'drop', decidedBy: { kind: 'rule', rule: first.rule } };
  return { verdict: 'unknown', ends: [...ends, toEnd(stopped, told)] };
}

/** A walk that could not be followed to its end. */
export function unreadWalk(traveller: Traveller, reason: string): Walk {
  const assumptions = [ownAssumption(traveller, reason)];
  const finish = { traveller, way: undefined } as const;
  return {
    verdict: 'unknown',
    ends: [
      toEnd({ ...finish, fate: 'pass', decidedBy: { kind: 'nothing' } }, assumptions),
      toEnd({ ...finish, fate: 'drop', decidedBy: { kind: 'kernel', reason } }, assumptions),
    ],
  };
}

function verdictOf(ends: readonly End[]): Walk['verdict'] {
  const [first] = ends;
  if (!first) throw new RangeError('a packet without an end');
  const passing = ends.filter(({ fate }) => fate === 'pass').length;
  if (passing === 0 || passing === ends.length) return first.fate;
  const isUnknown = ends.some(({ assumptions }) => assumptions.some(({ kind }) => kind === 'unknown'));
  return isUnknown ? 'unknown' : 'depends';
}

/** Ends that differ in nothing that is told become one; the likeliest is the first. */
function alike(finished: readonly Finish[]): readonly Finish[] {
  const byEnd = new Map<string, Finish>();
  for (const finish of finished) {
    const { traveller, fate, way, decidedBy } = finish;
    const by = fate === 'pass' ? '' : JSON.stringify(decidedBy);
    const key = `${fate} ${way} ${sameness(traveller.flight)} ${by}`;
    const known = byEnd.get(key);
    byEnd.set(key, known ? { ...known, traveller: united(known.traveller, traveller) } : finish);
  }
  return [...byEnd.values()].sort((a, b) => a.traveller.turns - b.traveller.turns);
}

function toEnd({ traveller, fate, way, decidedBy }: Finish, assumptions: readonly Assumption[]): End {
  const { flight, path } = traveller;
  return {
    fate,
    way,
    decidedBy,
    path: visitsOf(path),
    packet: landed(flight),
    destinationTranslated: flight.destinationTranslated,
    sourceTranslated: flight.sourceTranslated,
    assumptions,
  };
}

function visitsOf(path: VisitList | undefined): readonly Visit[] {
  const visits: Visit[] = [];
  for (let at = path; at; at = at.before) visits.push(at.visit);
  return visits.reverse();
}
