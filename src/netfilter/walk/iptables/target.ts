import type { Jump } from '../../rule.ts';
import type { Doubt } from '../answer.ts';
import type { Branch, Flight, Place } from '../flight.ts';
import type { RuleContext } from './matcher.ts';

/** What a rule does to a packet that it is for. */
export type Target = (flight: Flight, at: Place) => readonly Outcome[];

/** A branch that does not know its rule yet. */
export interface Outcome extends Omit<Branch, 'assumption'> {
  readonly doubt?: Doubt;
}

export type TargetCompiler = (jump: Jump, context: RuleContext) => Target;

export const goOn: Target = (flight) => [{ flight, next: { kind: 'continue' } }];

/** Anything may become of the packet, as far as the walk goes. */
export function anything(doubt: Doubt): Target {
  return (flight) => [
    { flight, next: { kind: 'continue' }, doubt },
    { flight, next: { kind: 'accept' }, action: 'accept', doubt },
    { flight, next: { kind: 'drop' }, action: 'drop', doubt },
  ];
}

/** A change of the flight that the path tells of. */
export function changed(before: Flight, after: Flight, action: string): readonly Outcome[] {
  return [{ flight: after, next: { kind: 'continue' }, ...(before === after ? {} : { action }) }];
}

export function optionOf({ options }: Jump, ...names: readonly string[]): string | undefined {
  return options.find(({ name }) => names.includes(name))?.values[0];
}
