import type { Journey, Outcome } from './follow-chain.ts';
import { sameness } from './start-flight.ts';
import { merge, mergeStopped, type Stopped, supposing, type Traveller } from './traveller.ts';
import type { RuleRef } from './walk.ts';

/** Asked at one place in the order of the hook: a chain, or all nat chains. */
export interface Station {
  readonly name: string;
  pass(arrivals: readonly Traveller[], journey: Journey): Outcome;
}

export interface Passed {
  /** One was finished by a station, though it may be as it was. */
  readonly isSettled?: boolean;
  readonly through: readonly Traveller[];
  readonly stopped: readonly Stopped[];
}

export interface Disorder {
  /** One tier after the other; which of a tier comes first is not known. */
  readonly tiers: readonly (readonly Station[])[];
  /** For assumptions about the order. */
  readonly rule: RuleRef;
  /** Which orders are known not to be. */
  isPossible?(order: readonly Station[]): boolean;
  /** What goes on to the next station, of what one let through. */
  goesOn(outcome: Outcome): { readonly on: readonly Traveller[]; readonly done: readonly Traveller[] };
}

/**
 * Chains of one priority are asked in the order in which they were registered, which no tool prints.
 * Where it makes a difference, the travellers go all ways.
 */
export function passInAnyOrder(disorder: Disorder, arrivals: readonly Traveller[], journey: Journey): Passed {
  const orders = possibleOrders(disorder);
  const [first = []] = orders;
  const asListed = passInOrder(first, disorder, arrivals, journey);
  if (orders.length < 2 || isUntouched(asListed, arrivals)) return asListed;
  const names = first.map(({ name }) => name).join(', ');
  const reason = `which of these is asked first is not known: ${names}`;
  const assumption = { rule: disorder.rule, kind: 'unknown', reason } as const;
  const assumptions = orders.map(() => assumption);
  const all = orders.map((order, i) => {
    const supposed = arrivals.map((traveller) =>
      supposing(traveller, journey.questions.ask(traveller, `order of ${names}`, assumptions), i),
    );
    return passInOrder(order, disorder, supposed, journey);
  });
  const print = fingerprint(asListed);
  if (all.every((passed) => fingerprint(passed) === print)) return asListed;
  return {
    through: merge(all.flatMap(({ through }) => through)),
    stopped: mergeStopped(all.flatMap(({ stopped }) => stopped)),
  };
}

function passInOrder(
  order: readonly Station[],
  disorder: Disorder,
  arrivals: readonly Traveller[],
  journey: Journey,
): Passed {
  const through: Traveller[] = [];
  const stopped: Stopped[] = [];
  let going = arrivals;
  let isSettled = false;
  for (const station of order) {
    const outcome = station.pass(going, journey);
    const { on, done } = disorder.goesOn(outcome);
    stopped.push(...outcome.stopped);
    through.push(...done);
    isSettled ||= done.length > 0;
    going = on;
  }
  return { isSettled, through: merge([...through, ...going]), stopped: mergeStopped(stopped) };
}

/** Of more in one tier, each one is first once and last once. */
const maxPermuted = 4;

function possibleOrders({ tiers, isPossible }: Disorder): readonly (readonly Station[])[] {
  let orders: readonly (readonly Station[])[] = [[]];
  for (const tier of tiers) {
    const inTier = tier.length > maxPermuted ? turns(tier) : permutations(tier);
    orders = orders.flatMap((before) => inTier.map((after) => [...before, ...after]));
  }
  const possible = isPossible ? orders.filter((order) => isPossible(order)) : orders;
  return possible.length > 0 ? possible : orders;
}

function turns<T>(items: readonly T[]): readonly (readonly T[])[] {
  return items.flatMap((_, i) => {
    const turned = [...items.slice(i), ...items.slice(0, i)];
    return [turned, turned.toReversed()];
  });
}

function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

function isUntouched({ isSettled, through, stopped }: Passed, arrivals: readonly Traveller[]): boolean {
  return (
    isSettled !== true &&
    stopped.length === 0 &&
    through.length === arrivals.length &&
    through.every(({ flight }, i) => flight === arrivals[i]?.flight)
  );
}

/** What came of it, whoever decided. */
function fingerprint({ through, stopped }: Passed): string {
  const fates = stopped.map(({ fate, decidedBy, traveller }) => {
    const by = decidedBy.kind === 'rule' ? decidedBy.rejectWith : undefined;
    return `${fate} ${by} ${traveller.flight.packet.destination}`;
  });
  return [...new Set([...fates, ...through.map(({ flight }) => sameness(flight))])].sort().join('\n');
}
