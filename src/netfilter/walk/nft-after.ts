import type { Family } from '../ruleset.ts';
import type { NftReadingState } from './reading.ts';
import type { ChangedChain } from './restore-batch.ts';

interface TableChange {
  readonly family: Family;
  readonly table: string;
  readonly changed: ReadonlyMap<string, ChangedChain>;
}

/**
 * The same change in what nft lists of a table that iptables-nft keeps: both list a chain's rules in the
 * same order, one for one. A rule that is new stands there without anything in it: what it says is in
 * the dump, and so is all of a chain that nft did not list. Where the two did not agree on a chain they
 * disagree on.
 */
export function nftAfter(nft: NftReadingState, { family, table, changed }: TableChange): NftReadingState {
  if (nft.kind !== 'present') return nft;
  const about = { family: family === 'ipv4' ? 'ip' : 'ip6', table };
  const others: unknown[] = [];
  const listed = new Map<string, unknown[]>();
  for (const object of nft.objects) {
    const chain = chainOf(object);
    const change = chain === undefined ? undefined : changed.get(chain);
    if (chain === undefined || !change) {
      others.push(object);
      continue;
    }
    const rules = listed.get(chain) ?? [];
    listed.set(chain, rules);
    if (isRule(object)) rules.push(object);
    else if (change.rules) others.push(object);
  }
  const rewritten = [...listed].flatMap(([chain, before]) =>
    listRules({ ...about, chain }, changed.get(chain), before),
  );
  return { kind: 'present', objects: [...others, ...rewritten] };

  /** The chain of this table that an object is, or is a rule of. */
  function chainOf(object: unknown): string | undefined {
    if (typeof object !== 'object' || object === null) return undefined;
    const part: unknown = 'rule' in object ? object.rule : 'chain' in object ? object.chain : undefined;
    if (!isPart(part) || part.family !== about.family || part.table !== table) return undefined;
    const name = 'rule' in object ? part.chain : part.name;
    return typeof name === 'string' ? name : undefined;
  }
}

interface Home {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
}

function listRules(home: Home, change: ChangedChain | undefined, before: readonly unknown[]): unknown[] {
  if (!change?.rules) return [];
  const newRule = { rule: { ...home, handle: 0, expr: [] } };
  const rules = change.rules.map(({ was }) => (was === undefined ? undefined : before[was]) ?? newRule);
  return before.length === change.ruleCount ? rules : [...rules, newRule];
}

function isRule(object: unknown): boolean {
  return typeof object === 'object' && object !== null && 'rule' in object;
}

type Part = { readonly [key in 'family' | 'table' | 'chain' | 'name']?: unknown };

function isPart(part: unknown): part is Part {
  return typeof part === 'object' && part !== null;
}
