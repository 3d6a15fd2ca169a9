import { type Ruleset, ruleLines } from '../../netfilter/ruleset.ts';
import type { RuleChange } from '../../netfilter/walk/after-changes.ts';
import type { FirewallReading } from '../../netfilter/walk/reading.ts';
import { acceptRules, type Opening } from './opening.ts';
import { chainChanges } from './own-chain.ts';

/** What it does to the rules of the kernel. */
export function changesOf(opening: Opening, reading: FirewallReading): readonly RuleChange[] {
  const { backend, family } = opening;
  const dump = reading.iptables[backend][family];
  if (dump.kind !== 'present') return [];
  const changes =
    opening.kind === 'chain' ? chainChanges(opening, dump.ruleset) : ufwChanges(opening, dump.ruleset);
  return changes.map((change) => ({ backend, family, change }));
}

/** UFW appends to its chain of user rules, or puts ahead. */
function ufwChanges(
  { family, needs, cidr, first }: Opening & { readonly kind: 'ufw' },
  ruleset: Ruleset,
): readonly RuleChange['change'][] {
  const name = `ufw${family === 'ipv6' ? '6' : ''}-user-forward`;
  const chain = ruleset.tables.get('filter')?.chains.get(name);
  if (chain === undefined) return [];
  const there = [...ruleLines(ruleset, chain)];
  const rules = acceptRules(name, { needs, cidr });
  const lines = first ? [...rules, ...there] : [...there, ...rules];
  const wanted = rules.map((_, i) => (first ? i : there.length + i));
  return [
    { kind: 'add', addition: { table: 'filter', chains: [], inserts: [{ chain: name, lines, wanted }] } },
  ];
}
