import type { Assumption } from './walk.ts';

/** A rule whose outcome is open, asked once. */
export interface OpenQuestion {
  /** One for each outcome, two at least; undefined where nothing is to be said. */
  readonly assumptions: readonly (Assumption | undefined)[];
}

/** What has to be so: for each question the outcomes that lead here, as bits. All of it together. */
type Case = ReadonlyMap<OpenQuestion, bigint>;

/**
 * Under which outcomes a flight came to be as it is: any one of the cases. Where all outcomes of a
 * question lead to the same, the question is gone.
 */
export interface Suppositions {
  readonly cases: readonly Case[];
  /** Questions that matter in ways that became too many to keep. */
  readonly blurred: ReadonlySet<OpenQuestion>;
}

const maxCases = 16;

export const nothingSupposed: Suppositions = { cases: [new Map()], blurred: new Set() };

/** The question must be a new one. */
export function suppose(before: Suppositions, question: OpenQuestion, outcome: number): Suppositions {
  const bit = 1n << BigInt(outcome);
  return { ...before, cases: before.cases.map((one) => new Map(one).set(question, bit)) };
}

export function either(one: Suppositions, other: Suppositions): Suppositions {
  if (one === other) return one;
  const { blurred } = one;
  if (isSame(blurred, other.blurred)) {
    const cases = simplified([...one.cases, ...other.cases]);
    if (cases.length <= maxCases) return { cases, blurred };
  }
  return blur([one, other]);
}

function blur(all: readonly Suppositions[]): Suppositions {
  const questions = all.flatMap(({ cases, blurred }) => [
    ...blurred,
    ...cases.flatMap((each) => [...each.keys()]),
  ]);
  return { cases: [new Map()], blurred: new Set(questions) };
}

function isSame(one: ReadonlySet<OpenQuestion>, other: ReadonlySet<OpenQuestion>): boolean {
  return one === other || (one.size === other.size && one.isSubsetOf(other));
}

export function mentions({ cases, blurred }: Suppositions, question: OpenQuestion): boolean {
  return blurred.has(question) || cases.some((one) => one.has(question));
}

export function assumptionsOf({ cases, blurred }: Suppositions): readonly Assumption[] {
  const found = new Set<Assumption>();
  for (const one of cases)
    for (const [question, outcomes] of one)
      for (const [i, assumption] of question.assumptions.entries())
        if (assumption && (outcomes >> BigInt(i)) & 1n) found.add(assumption);
  for (const { assumptions } of blurred)
    for (const assumption of assumptions) if (assumption) found.add(assumption);
  return unlike([...found]);
}

function unlike(assumptions: readonly Assumption[]): readonly Assumption[] {
  const byText = new Map<string, Assumption>();
  for (const assumption of assumptions) {
    const { rule, kind, reason } = assumption;
    const { backend, family, table, chain, number } = rule;
    const key = `${backend} ${family} ${table} ${chain} ${number} ${kind} ${reason}`;
    if (!byText.has(key)) byText.set(key, assumption);
  }
  return [...byText.values()];
}

/**
 * Two rules, until nothing changes: a case that another one includes goes; and where a case, but for
 * one question, is included in another, the outcomes of both count for that question.
 */
function simplified(cases: readonly Case[]): readonly Case[] {
  let list = [...cases];
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 0; i < list.length && !changed; i++) {
      for (let j = 0; j < list.length && !changed; j++) {
        const narrow = list[i];
        const wide = list[j];
        if (i === j || !narrow || !wide) continue;
        const widened = widen(narrow, wide);
        if (widened === narrow) continue;
        list = widened ? list.with(i, widened) : list.toSpliced(i, 1);
        changed = true;
      }
    }
  }
  return list;
}

/** Undefined: `wide` includes it whole. */
function widen(narrow: Case, wide: Case): Case | undefined {
  let apart: OpenQuestion | undefined;
  for (const [question, outcomes] of wide) {
    const mine = narrow.get(question);
    if (mine !== undefined && (mine & ~outcomes) === 0n) continue;
    if (mine === undefined || apart !== undefined) return narrow;
    apart = question;
  }
  if (!apart) return undefined;
  const both = (narrow.get(apart) ?? 0n) | (wide.get(apart) ?? 0n);
  if (both === narrow.get(apart)) return narrow;
  const widened = new Map(narrow);
  if (both === (1n << BigInt(apart.assumptions.length)) - 1n) widened.delete(apart);
  else widened.set(apart, both);
  return widened;
}
