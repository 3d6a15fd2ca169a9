import type { Flight, Place } from '../flight.ts';
import type { Datatype } from './datatype.ts';
import type { Value } from './value.ts';

/** What a rule looks at: one part, or several that are looked up together. */
export interface Expression {
  readonly name: string;
  /** One for each part. */
  readonly types: readonly Datatype[];
  /** As many. */
  evaluate(flight: Flight, at: Place): readonly Value[];
}
