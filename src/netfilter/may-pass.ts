import { type MatchContext, matchesNewTcp, type NewTcpPacket } from './may-pass-match.ts';
import { parseRule, type Rule } from './rule.ts';
import { type Chain, isBuiltIn, type Ruleset, ruleLines, type Table } from './ruleset.ts';

/** `elsewhere`: translated to another address or port. `accept` is as far as this one table goes. */
export type Fate = 'accept' | 'drop' | 'elsewhere';

/** What one table does on the way in. */
export interface TableFates {
  /** Such as `filter INPUT`. */
  readonly hook: string;
  readonly fates: ReadonlySet<Fate>;
}

/**
 * What may become of a new TCP connection from outside to this node, in each chain on its way in: a
 * superset, never less. Where it comes from, over which interface, and whatever else is not
 * understood here, goes both ways. Native nft tables are not in such a dump and not judged.
 */
export function mayPass(ruleset: Ruleset, packet: NewTcpPacket): readonly TableFates[] {
  const untracked = mayBeUntracked(ruleset);
  return wayIn.flatMap(([name, chain]): TableFates[] => {
    const hook = `${name} ${chain}`;
    if (ruleset.unreadable.includes(name)) return [{ hook, fates: new Set(anything) }];
    const table = ruleset.tables.get(name);
    // In raw no connection is known yet.
    const context = { packet, mayBeUntracked: untracked || name === 'raw' };
    return table?.chains.has(chain) ? [{ hook, fates: fatesIn(ruleset, table, { chain, context }) }] : [];
  });
}

/** In the kernel's order. nat INPUT translates sources and cannot refuse. */
const wayIn = [
  ['raw', 'PREROUTING'],
  ['mangle', 'PREROUTING'],
  ['nat', 'PREROUTING'],
  ['mangle', 'INPUT'],
  ['filter', 'INPUT'],
  ['security', 'INPUT'],
] as const;

const anything = ['accept', 'drop', 'elsewhere'] as const satisfies readonly Fate[];

/** A packet that no connection is kept for has the state UNTRACKED in place of NEW. */
function mayBeUntracked(ruleset: Ruleset): boolean {
  const raw = ruleset.tables.get('raw');
  if (raw === undefined) return false;
  return [...raw.chains.values()].some((chain) =>
    [...ruleLines(ruleset, chain)].some((line) => / -j (NOTRACK|CT .*--notrack)\b/.test(line)),
  );
}

/** `back`: to the chain that called. */
type ChainOutcome = Fate | 'back';
/** `next`: to the rule behind. */
type RuleOutcome = ChainOutcome | 'next';

function fatesIn(
  ruleset: Ruleset,
  table: Table,
  { chain: hook, context }: { readonly chain: string; readonly context: MatchContext },
): ReadonlySet<Fate> {
  // The packet is the same wherever a chain is called from, so each is walked once.
  const known = new Map<string, ReadonlySet<ChainOutcome>>();
  return new Set([...walk(hook)].filter((outcome) => outcome !== 'back'));

  function walk(name: string): ReadonlySet<ChainOutcome> {
    const walked = known.get(name);
    if (walked !== undefined) return walked;
    // The kernel refuses loops; a dump that has one is worth no more than this.
    known.set(name, new Set([...anything, 'back']));
    const outcomes = walkRules(name);
    known.set(name, outcomes);
    return outcomes;
  }

  function walkRules(name: string): ReadonlySet<ChainOutcome> {
    const outcomes = new Set<ChainOutcome>();
    const chain = table.chains.get(name);
    if (chain === undefined) return outcomes;
    const end = endOf(chain);
    for (const line of ruleLines(ruleset, chain)) {
      const rule = parseRule(line);
      const match = rule === undefined ? 'maybe' : matchesNewTcp(rule, context);
      if (match === 'no') continue;
      const followed = followRule(rule, end);
      for (const outcome of followed) if (outcome !== 'next') outcomes.add(outcome);
      if (match === 'yes' && !followed.includes('next')) return outcomes;
    }
    return outcomes.add(end);
  }

  function followRule(rule: Rule | undefined, end: ChainOutcome): readonly RuleOutcome[] {
    if (rule === undefined) return [...anything, 'next'];
    if (rule.jump === undefined) return ['next'];
    const { kind, target } = rule.jump;
    if (target === 'RETURN') return [end];
    if (!table.chains.has(target)) return outcomesOfTarget(target);
    const afterwards = kind === 'jump' ? 'next' : end;
    return [...walk(target)].map((outcome) => (outcome === 'back' ? afterwards : outcome));
  }
}

function endOf(chain: Chain): ChainOutcome {
  if (!isBuiltIn(chain)) return 'back';
  return chain.policy === 'DROP' ? 'drop' : 'accept';
}

function outcomesOfTarget(target: string): readonly RuleOutcome[] {
  switch (target) {
    case 'ACCEPT':
      return ['accept'];
    case 'DROP':
    case 'REJECT':
      return ['drop'];
    case 'DNAT':
    case 'REDIRECT':
    case 'NETMAP':
      return ['elsewhere'];
    default:
      return passing.has(target) ? ['next'] : [...anything, 'next'];
  }
}

/** Extensions that do something to a packet and let it go on. */
const passing: ReadonlySet<string> = new Set(
  ['LOG', 'NFLOG', 'MARK', 'CONNMARK', 'CT', 'NOTRACK', 'TRACE', 'SET', 'TCPMSS', 'CHECKSUM'].concat([
    'CLASSIFY',
    'DSCP',
    'TOS',
    'SECMARK',
    'CONNSECMARK',
    'AUDIT',
  ]),
);
