import { hash } from 'node:crypto';
import { withoutCounters } from './rule.ts';
import { isBuiltIn, type Ruleset, ruleLines, type Table } from './ruleset.ts';
import type { LocatedRule } from './table-reading.ts';

/** What is to be taken out of one table of one backend, in one transaction. */
export interface Removal {
  readonly table: string;
  /** Chains to delete with everything in them. Never built-in ones. */
  readonly chains: readonly string[];
  /** Rules to delete from chains that stay. A rule that is there twice is listed twice. */
  readonly rules: readonly LocatedRule[];
}

/**
 * The batch for `iptables-restore --noflush`: declare each chain (which empties it), delete the
 * rules that lead there, delete the chains. The kernel takes all of it or nothing; a chain that
 * somebody else still refers to makes it refuse. A built-in chain is never declared, because that
 * would set its policy.
 */
export function printRemoval(removal: Removal): string {
  return [
    `*${removal.table}`,
    ...removal.chains.map((chain) => `:${chain} - [0:0]`),
    ...removal.rules.map(({ line }) => line.replace(/^-A/, '-D')),
    ...removal.chains.map((chain) => `-X ${chain}`),
    'COMMIT',
    '',
  ].join('\n');
}

/**
 * A digest of what a removal would destroy; it changes when somebody writes to those chains.
 * `fingerprintOf` gives a chain's fingerprint, undefined when the chain is not there.
 */
export function removalDigest(
  removal: Removal,
  fingerprintOf: (chain: string) => number | undefined,
): string {
  return hash('sha256', removal.chains.map((name) => `${name} ${fingerprintOf(name) ?? 'gone'}`).join('\n'));
}

/** How a table differs from what a removal should have left of it. */
export interface RemovalDifference {
  /** Chains and rules that should be gone and are there. */
  readonly remaining: readonly LocatedRule[];
  /** Chains, policies and rules that should have stayed and are not there, or not in their order. */
  readonly lost: readonly LocatedRule[];
  /** Chains and rules that were not there before. */
  readonly added: readonly LocatedRule[];
}

/** Compares a table before and after, line by line, counters aside. */
export function compareAfterRemoval(removal: Removal, before: Ruleset, after: Ruleset): RemovalDifference {
  const then = before.tables.get(removal.table);
  const now = after.tables.get(removal.table);
  const removed = new Set(removal.chains);
  const removedRules = Map.groupBy(removal.rules, (rule) => rule.chain);
  const remaining = removal.chains.filter((name) => now?.chains.has(name)).map(declaration);
  const lost: LocatedRule[] = [];
  const added: LocatedRule[] = [];
  for (const chain of then?.chains.values() ?? []) {
    if (removed.has(chain.name)) continue;
    const kept = now?.chains.get(chain.name);
    if (kept?.policy !== chain.policy) {
      lost.push({ chain: chain.name, line: `:${chain.name} ${chain.policy}` });
      continue;
    }
    const wanted = withoutRules(strip(linesOf(before, then, chain.name)), removedRules.get(chain.name));
    compareLines({ chain: chain.name, wanted, found: strip(linesOf(after, now, chain.name)) });
  }
  for (const chain of now?.chains.values() ?? []) {
    if (then?.chains.has(chain.name)) continue;
    added.push(declaration(chain.name));
  }
  return { remaining, lost, added };

  function compareLines({
    chain,
    wanted,
    found,
  }: {
    chain: string;
    wanted: string[];
    found: string[];
  }): void {
    const gone = new Set(removedRules.get(chain)?.map((rule) => rule.line));
    let at = 0;
    for (const line of found) {
      if (line === wanted[at]) {
        at++;
        continue;
      }
      (gone.has(line) ? remaining : added).push({ chain, line });
    }
    lost.push(...wanted.slice(at).map((line) => ({ chain, line })));
  }
}

function declaration(chain: string): LocatedRule {
  return { chain, line: `:${chain}` };
}

function linesOf(ruleset: Ruleset, table: Table | undefined, name: string): Iterable<string> {
  const chain = table?.chains.get(name);
  return chain ? ruleLines(ruleset, chain) : [];
}

function strip(lines: Iterable<string>): string[] {
  return Array.from(lines, withoutCounters);
}

/** Takes as many copies of each removed rule out of a chain's lines as the removal lists. */
function withoutRules(lines: string[], rules: readonly LocatedRule[] | undefined): string[] {
  if (!rules) return lines;
  const left = new Map<string, number>();
  for (const { line } of rules) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    if (count > 0) left.set(line, count - 1);
    return count === 0;
  });
}

/** A removal names no built-in chain for deletion; the last line of defence before the kernel's. */
export function assertRemovable(removal: Removal, ruleset: Ruleset): void {
  for (const name of removal.chains) {
    const chain = ruleset.tables.get(removal.table)?.chains.get(name);
    if (chain && isBuiltIn(chain)) throw new Error(`plan names built-in chain ${removal.table}/${name}`);
  }
}

/** Rules that a removal lists and the table does not have, or not as often. */
export function missingRules(removal: Removal, now: Ruleset): LocatedRule[] {
  const table = now.tables.get(removal.table);
  return [...Map.groupBy(removal.rules, ({ chain }) => chain)].flatMap(([chain, rules]) => {
    const present = new Map<string, number>();
    for (const line of strip(linesOf(now, table, chain))) present.set(line, (present.get(line) ?? 0) + 1);
    return rules.filter(({ line }) => {
      const left = present.get(line) ?? 0;
      present.set(line, left - 1);
      return left <= 0;
    });
  });
}
