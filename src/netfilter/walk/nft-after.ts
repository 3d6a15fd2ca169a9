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
 * the dump. Where the two did not agree on a chain they disagree on; a chain that nft was not asked about
 * stays out of it.
 */
export function nftAfter(nft: NftReadingState, { family, table, changed }: TableChange): NftReadingState {
  if (nft.kind !== 'present') return nft;
  const about = { family: family === 'ipv4' ? 'ip' : 'ip6', table };
  const others: unknown[] = [];
  const rules = new Map<string, unknown[]>();
  const listed = new Set<string>();
  for (const object of nft.objects) {
    const chain = chainOf(object);
    const change = chain === undefined ? undefined : changed.get(chain);
    if (chain !== undefined) listed.add(chain);
    if (chain === undefined || !change) others.push(object);
    else if (!isRule(object)) {
      if (change.rules) others.push(object);
    } else if (!rules.get(chain)?.push(object)) rules.set(chain, [object]);
  }
  const rewritten = [...changed].flatMap(([chain, change]) =>
    change.existed && !listed.has(chain)
      ? []
      : listChain({ ...about, chain }, change, rules.get(chain) ?? []),
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

function listChain(
  home: Home,
  { existed, ruleCount, rules }: ChangedChain,
  before: readonly unknown[],
): unknown[] {
  if (!rules) return [];
  const { chain, ...table } = home;
  const made = existed ? [] : [{ chain: { ...table, name: chain, handle: 0 } }];
  const listed = rules.map(({ was }) => (was === undefined ? undefined : before[was]) ?? newRule(home));
  return [...made, ...listed, ...(before.length === ruleCount ? [] : [newRule(home)])];
}

function newRule(home: Home): unknown {
  return { rule: { ...home, handle: 0, expr: [] } };
}

function isRule(object: unknown): boolean {
  return typeof object === 'object' && object !== null && 'rule' in object;
}

type Part = { readonly [key in 'family' | 'table' | 'chain' | 'name']?: unknown };

function isPart(part: unknown): part is Part {
  return typeof part === 'object' && part !== null;
}
