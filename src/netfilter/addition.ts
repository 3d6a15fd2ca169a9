import { addToFingerprint, fingerprintOf } from './fingerprint.ts';
import { type Removal, removalDigest } from './removal.ts';
import { withoutCounters } from './rule.ts';
import { type Ruleset, ruleLines, type Table } from './ruleset.ts';

/** What is to be put into one table of one backend, in one transaction: the inverse of a removal. */
export interface Addition {
  readonly table: string;
  readonly chains: readonly ChainText[];
  /** Rules for chains that are there, each chain once. */
  readonly inserts: readonly ChainInserts[];
}

export interface ChainText {
  readonly name: string;
  /** As printed, counters included. */
  readonly lines: readonly string[];
}

export interface ChainInserts {
  readonly chain: string;
  /** The whole chain as it is to be, counters included; says where each rule belongs. */
  readonly lines: readonly string[];
  /** Which of the lines are to be added, by index, in order. */
  readonly wanted: readonly number[];
}

/** What brings back what a removal took out of a table. */
export function invertRemoval(removal: Removal, before: Ruleset): Addition {
  const table = before.tables.get(removal.table);
  const removedRules = Map.groupBy(removal.rules, ({ chain }) => chain);
  return {
    table: removal.table,
    chains: removal.chains
      .filter((name) => table?.chains.has(name))
      .map((name) => ({ name, lines: linesOf(before, table, name) })),
    inserts: [...removedRules].map(([chain, removed]) => {
      const lines = linesOf(before, table, chain);
      const left = countLines(removed.map(({ line }) => line));
      return { chain, lines, wanted: lines.flatMap((line, i) => (takeOne(left, line) ? [i] : [])) };
    }),
  };
}

/** What takes an addition out again: only what was not there before it. */
export function invertAddition(
  addition: Addition,
  before: Ruleset,
): { readonly removal: Removal; readonly digest: string } {
  const missing = missingFrom(addition, before);
  const removal = {
    table: addition.table,
    chains: missing.chains.map(({ name }) => name),
    rules: missing.inserts.flatMap(({ chain, lines, wanted }) =>
      wanted.map((i) => ({ chain, line: withoutCounters(lines[i] ?? '') })),
    ),
  };
  const fingerprints = new Map(missing.chains.map(({ name, lines }) => [name, fingerprintOfLines(lines)]));
  return { removal, digest: removalDigest(removal, (name) => fingerprints.get(name)) };
}

/** The part of an addition that a table does not have yet. */
export function missingFrom(addition: Addition, now: Ruleset): Addition {
  const table = now.tables.get(addition.table);
  const inserts = addition.inserts.map(({ chain, lines, wanted }) => {
    // Of equal rules as many are missing as there are fewer now.
    const missing = countLines(lines);
    for (const line of linesOf(now, table, chain)) takeOne(missing, line);
    return { chain, lines, wanted: wanted.filter((i) => takeOne(missing, lines[i] ?? '')) };
  });
  return {
    table: addition.table,
    chains: addition.chains.filter(({ name }) => !table?.chains.has(name)),
    inserts: inserts.filter(({ wanted }) => wanted.length > 0),
  };
}

/** What stands in the way of an addition because somebody has written there since; a line each, naming it. */
export function conflictsWith(addition: Addition, now: Ruleset): string[] {
  const table = now.tables.get(addition.table);
  const rewritten = addition.chains.filter(({ name, lines }) => {
    const chain = table?.chains.get(name);
    return chain && fingerprintOf(now, chain) !== fingerprintOfLines(lines);
  });
  const gone = addition.inserts.filter(({ chain }) => !table?.chains.has(chain));
  return [
    ...rewritten.map(({ name }) => `chain ${name} is there again, with other rules`),
    ...gone.map(({ chain }) => `chain ${chain}, which had rules that lead there, is gone`),
  ];
}

/**
 * The batch for `iptables-restore --noflush` that adds what a table does not have yet; undefined when
 * nothing is missing. Each rule lands before the nearest rule behind it that is still there, else at the
 * end: what somebody has added since goes first.
 */
export function printAddition(addition: Addition, now: Ruleset): string | undefined {
  const { chains, inserts } = missingFrom(addition, now);
  if (chains.length + inserts.length === 0) return undefined;
  const table = now.tables.get(addition.table);
  return [
    `*${addition.table}`,
    ...chains.map(({ name }) => `:${name} - [0:0]`),
    ...chains.flatMap(({ lines }) => lines),
    ...inserts.flatMap((each) => printInserts(each, linesOf(now, table, each.chain).map(withoutCounters))),
    'COMMIT',
    '',
  ].join('\n');
}

/** From the last one on, so that each finds the rule that it stood before in its place. */
function printInserts({ chain, lines, wanted }: ChainInserts, present: string[]): string[] {
  const missing = new Set(wanted);
  let at = present.length;
  return lines
    .map((line, i) => ({ line, rule: withoutCounters(line), isMissing: missing.has(i) }))
    .toReversed()
    .flatMap(({ line, rule, isMissing }) => {
      if (!isMissing) {
        const found = at === 0 ? -1 : present.lastIndexOf(rule, at - 1);
        if (found >= 0) at = found;
        return [];
      }
      present.splice(at, 0, rule);
      const counters = line.slice(0, line.length - rule.length);
      return [`${counters}-I ${chain} ${at + 1}${rule.slice(`-A ${chain}`.length)}`];
    });
}

function fingerprintOfLines(lines: readonly string[]): number {
  return lines.reduce(addToFingerprint, 0);
}

function countLines(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const rule = withoutCounters(line);
    counts.set(rule, (counts.get(rule) ?? 0) + 1);
  }
  return counts;
}

/** Whether there was one left of this rule, which is taken. */
function takeOne(counts: Map<string, number>, line: string): boolean {
  const rule = withoutCounters(line);
  const left = counts.get(rule) ?? 0;
  if (left > 0) counts.set(rule, left - 1);
  return left > 0;
}

function linesOf(ruleset: Ruleset, table: Table | undefined, name: string): string[] {
  const chain = table?.chains.get(name);
  return chain ? [...ruleLines(ruleset, chain)] : [];
}
