import type { CompiledRule, Flight, Hook, VisitList } from './flight.ts';
import { sameness } from './start-flight.ts';
import {
  either,
  mentions,
  nothingSupposed,
  type OpenQuestion,
  type Suppositions,
  suppose,
} from './suppositions.ts';
import type { Assumption, Decision, RuleRef, Visit } from './walk.ts';

/** A flight, where it has been, and what was supposed for it to come here. */
export interface Traveller {
  readonly flight: Flight;
  readonly path: VisitList | undefined;
  readonly supposed: Suppositions;
  /** How often the less likely was supposed. */
  readonly turns: number;
  /** The last that accepted it in a filter. */
  readonly allowedBy: Decision | undefined;
}

export interface Stopped {
  readonly traveller: Traveller;
  readonly fate: 'drop' | 'reject';
  readonly decidedBy: Decision;
}

export function setOut(flight: Flight): Traveller {
  return { flight, path: undefined, supposed: nothingSupposed, turns: 0, allowedBy: undefined };
}

export function visit(traveller: Traveller, hook: Hook, rule: RuleRef, action: string): Traveller {
  const last: Visit = { hook, rule, action };
  return { ...traveller, path: { visit: last, before: traveller.path } };
}

/** Those that are alike become one; the likeliest of them says where it has been. */
export function merge(travellers: readonly Traveller[]): readonly Traveller[] {
  if (travellers.length < 2) return travellers;
  const byFlight = new Map<string, Traveller>();
  for (const traveller of travellers) {
    const key = sameness(traveller.flight);
    const known = byFlight.get(key);
    byFlight.set(key, known ? united(known, traveller) : traveller);
  }
  return byFlight.size === travellers.length ? travellers : [...byFlight.values()];
}

export function mergeStopped(stopped: readonly Stopped[]): readonly Stopped[] {
  if (stopped.length < 2) return stopped;
  const alike = new Map<string, Stopped>();
  for (const one of stopped) {
    const key = JSON.stringify([one.fate, one.decidedBy, sameness(one.traveller.flight)]);
    const known = alike.get(key);
    alike.set(key, known ? { ...known, traveller: united(known.traveller, one.traveller) } : one);
  }
  return [...alike.values()];
}

export function united(one: Traveller, other: Traveller): Traveller {
  const likelier = other.turns < one.turns ? other : one;
  return { ...likelier, supposed: either(one.supposed, other.supposed) };
}

/** Gives each asking of an open rule a question of its own, the same one to all travellers that ask it together. */
export interface Questions {
  ask(
    traveller: Traveller,
    asked: CompiledRule | string,
    assumptions: readonly (Assumption | undefined)[],
  ): OpenQuestion;
}

export function createQuestions(): Questions {
  const known = new Map<CompiledRule | string, OpenQuestion[]>();
  return {
    ask({ supposed }, asked, assumptions) {
      const earlier = known.get(asked) ?? [];
      known.set(asked, earlier);
      const fresh = earlier.find(
        (question) => question.assumptions.length === assumptions.length && !mentions(supposed, question),
      );
      if (fresh) return fresh;
      const question = { assumptions };
      earlier.push(question);
      return question;
    },
  };
}

/** Outcomes are in order: the likeliest first. */
export function supposing(traveller: Traveller, question: OpenQuestion, outcome: number): Traveller {
  const turns = traveller.turns + (outcome === 0 ? 0 : 1);
  return { ...traveller, supposed: suppose(traveller.supposed, question, outcome), turns };
}
