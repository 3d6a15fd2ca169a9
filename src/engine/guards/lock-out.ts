import type { FactContext } from '../fact.ts';
import type { Step } from '../step.ts';
import { describeStep } from '../steps/steps.ts';

/**
 * Judges plans that are to be carried out one after the other: whether people could still reach this
 * node, and the node its API. A plan that is refused is left out of what the later ones are judged on.
 *
 * Handed in by whoever wires things together: it walks packets through the rules, of which the engine
 * knows nothing.
 */
export type LockOutGuard = (
  context: FactContext,
  plans: readonly (readonly Step[])[],
) => Promise<readonly LockOut[]>;

/** What was said of one plan. */
export interface LockOut {
  /** Why it is refused, a line for each way that it would cut; none: it may go on. */
  readonly reasons: readonly string[];
  /** What could not be shown and is as it was before; a line each. */
  readonly notes: readonly string[];
}

/** Judges those plans that change what packets may pass; there is nothing to say of the others. */
export async function judgeLockOut(
  guard: LockOutGuard,
  context: FactContext,
  plans: readonly (readonly Step[])[],
): Promise<readonly LockOut[]> {
  const isConcerned = plans.map((steps) => steps.some((step) => describeStep(step).firewall));
  const verdicts = isConcerned.includes(true)
    ? await guard(
        context,
        plans.filter((_, index) => isConcerned[index]),
      )
    : [];
  let at = 0;
  return isConcerned.map((isIt) => (isIt ? verdicts[at++] : undefined) ?? { reasons: [], notes: [] });
}

/** In one line; undefined when nothing is refused. */
export function describeLockOut({ reasons }: LockOut): string | undefined {
  const [first, ...more] = reasons;
  if (first === undefined) return undefined;
  const others = more.length === 0 ? '' : `; and ${more.length} more of the kind`;
  return `it could lock people out of this node: ${first}${others}`;
}
