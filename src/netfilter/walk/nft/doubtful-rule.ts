import type { CompiledRule } from '../flight.ts';
import type { ChainRef } from '../walk.ts';

/** Stands for what is not known of a chain or table as a whole. */
export function doubtfulRule(
  chain: ChainRef,
  reason: string,
  outcomes: readonly ('continue' | 'accept' | 'drop')[],
): CompiledRule {
  const ref = { ...chain, number: 0, text: reason };
  const assumption = { rule: ref, kind: 'unknown', reason } as const;
  return {
    ref,
    follow: (flight) => outcomes.map((kind) => ({ flight, next: { kind }, assumption })),
  };
}
