import { expect } from 'vitest';
import type { EraReport } from './era-report.ts';

/** What walks may leave open: matches that no walk can evaluate, and those whose answer is not in the packet. */
export function expectAgreement(reports: readonly EraReport[]): void {
  const disagreements = reports.flatMap((report) => report.disagreements);
  const list = disagreements.map(
    ({ kind, seed, index, what }) => `${kind} seed ${seed}, packet ${index}: ${what}`,
  );
  // The first tell enough.
  const text = [...list.slice(0, 40), ...disagreements.slice(0, 3).map((each) => each.text)];
  expect(disagreements.length, text.join('\n')).toBe(0);
}

export interface Totals {
  readonly rulesets: number;
  readonly refused: readonly string[];
  readonly packets: number;
  readonly fates: Readonly<Record<string, number>>;
  readonly verdicts: Readonly<Record<string, number>>;
}

export function totals(reports: readonly EraReport[]): Totals {
  return {
    rulesets: sum(reports.map(({ rulesets }) => rulesets)),
    refused: reports.flatMap(({ refused }) => refused),
    packets: sum(reports.map(({ packets }) => packets)),
    fates: addUp(reports.map(({ fates }) => fates)),
    verdicts: addUp(reports.map(({ verdicts }) => verdicts)),
  };
}

/** How many walks in a hundred came to no certain end. */
export function percentUnknown({ packets, verdicts }: Totals): number {
  return (100 * (verdicts['unknown'] ?? 0)) / packets;
}

function addUp(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const each of counts) {
    for (const [name, count] of Object.entries(each)) all[name] = (all[name] ?? 0) + count;
  }
  return all;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
