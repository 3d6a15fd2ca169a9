import type { Option } from '../../rule.ts';
import type { Backend, Family } from '../../ruleset.ts';
import { type Answer, unknown } from '../answer.ts';
import type { Flight, Place } from '../flight.ts';
import type { FirewallReading } from '../reading.ts';

/** Where a rule stands. */
export interface RuleContext {
  readonly backend: Backend;
  readonly family: Family;
  readonly table: string;
  readonly reading: FirewallReading;
  hasChain(name: string): boolean;
}

/** One condition of a rule. */
export type Matcher = (flight: Flight, at: Place) => Answer;

/** `-m NAME` and the options that belong to it. */
export interface MatchGroup {
  readonly name: string;
  readonly options: readonly Option[];
}

export type MatchCompiler = (group: MatchGroup, context: RuleContext) => readonly Matcher[];

/** For a condition that this tool cannot evaluate. */
export function notUnderstood({ name, options }: MatchGroup, option?: Option): Matcher {
  const asked = (option ?? options[0])?.name;
  return constant(unknown(`match -m ${[name, asked].filter((word) => word).join(' ')} is not understood`));
}

export function constant(answer: Answer): Matcher {
  return () => answer;
}
