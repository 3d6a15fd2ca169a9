import { createHash } from 'node:crypto';
import type { Finding } from '../finding.ts';

/**
 * Tells whether a finding is still the one that a repair failed for or was taken back from: what it is
 * about, where it sends traffic, and the evidence. Not the plan, which covers others as well; not
 * counters, where live rules lead, or the effect, which change around a ghost that stays the same.
 */
export function findingDigest({ code, subject, traffic, evidence }: Finding): string {
  const sentTo = traffic?.sentTo.map(({ address, port }) => `${address} ${port}`).sort() ?? [];
  const seen = evidence
    .filter(({ source }) => source !== 'effect')
    .map(({ source, observed }) => [source, observed]);
  return digest([code, subject, sentTo, seen]);
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}
