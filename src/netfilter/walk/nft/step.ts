import type { Doubt } from '../answer.ts';
import type { Flight, Next, Place } from '../flight.ts';
import type { Test } from './match.ts';

/** One statement of a rule, ready. Those without an effect on packets are left out. */
export type Step = { readonly test: Test } | Action;

export interface Action {
  act(flight: Flight, at: Place): readonly Outcome[];
}

export interface Outcome {
  readonly flight: Flight;
  /** `on`: the rule goes on with its next statement. `continue`: it ends, and the next rule is asked. */
  readonly next: Next | { readonly kind: 'on' };
  readonly doubt?: Doubt;
  readonly action?: string;
}

/** What may become of a flight at a statement that is not understood. */
export function anything(reason: string): Action {
  const doubt: Doubt = { kind: 'unknown', reason };
  return {
    act: (flight) =>
      (['on', 'continue', 'accept', 'drop'] as const).map((kind) => ({ flight, next: { kind }, doubt })),
  };
}
