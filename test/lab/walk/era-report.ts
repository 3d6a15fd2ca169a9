import { z } from 'zod';

export const eraOptions = z.object({
  kind: z.enum(['random', 'native', 'recordings']).default('random'),
  seeds: z.array(z.number()),
  packets: z.number().default(40),
  precedence: z.enum(['nft first', 'legacy first']).default('nft first'),
  cpu: z.number().default(0),
  /** How many disagreements are made small; each takes seconds. */
  shrink: z.number().default(0),
});
export type EraOptions = z.input<typeof eraOptions>;

export const disagreement = z.object({
  kind: z.string(),
  seed: z.number(),
  /** Which of its packets. */
  index: z.number(),
  what: z.string(),
  /** All that it takes to understand it. */
  text: z.string(),
});
export type Disagreement = z.infer<typeof disagreement>;

const counts = z.record(z.string(), z.number());

export const eraReport = z.object({
  rulesets: z.number(),
  /** Rulesets that a tool did not take. */
  refused: z.array(z.string()),
  packets: z.number(),
  fates: counts,
  verdicts: counts,
  /** How many ends walks have. */
  ends: counts,
  /** Reasons of what the walk could not evaluate, and how often each. */
  unknown: counts,
  chances: counts,
  disagreements: z.array(disagreement),
});
export type EraReport = z.infer<typeof eraReport>;
