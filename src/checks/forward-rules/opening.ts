import type { UfwRuleSpec } from '../../engine/step.ts';
import { type Backend, type Family, type Ruleset, ruleLines } from '../../netfilter/ruleset.ts';
import type { RuleChange } from '../../netfilter/walk/after-changes.ts';
import type { FirewallReading } from '../../netfilter/walk/reading.ts';
import type { RuleRef } from '../../netfilter/walk/walk.ts';
import { chainChanges } from './own-chain.ts';

/** What lets pods' traffic through, in one backend and family. */
export type Opening = {
  readonly backend: Backend;
  readonly family: Family;
  /** All pods of the cluster. */
  readonly cidr: string;
  /** What has to be let through: what pods send, what is sent to them. */
  readonly needs: Needs;
} & (
  | { readonly kind: 'ufw'; readonly first: boolean }
  /** `before`: the rule of FORWARD that it goes ahead of; undefined: it goes to the end. */
  | { readonly kind: 'chain'; readonly before: RuleRef | undefined }
);

export interface Needs {
  readonly from: boolean;
  readonly to: boolean;
}

/** What it does to the rules of the kernel. */
export function changesOf(opening: Opening, reading: FirewallReading): readonly RuleChange[] {
  const { backend, family } = opening;
  const dump = reading.iptables[backend][family];
  if (dump.kind !== 'present') return [];
  const changes =
    opening.kind === 'chain' ? chainChanges(opening, dump.ruleset) : ufwChanges(opening, dump.ruleset);
  return changes.map((change) => ({ backend, family, change }));
}

/** As `ufw route allow` is told, least first. */
export function ufwRules(opening: Opening & { readonly kind: 'ufw' }): readonly UfwRuleSpec[] {
  const { needs, cidr, first } = opening;
  const rule = { route: true, action: 'allow', direction: 'in', protocol: 'any', port: undefined } as const;
  const place = first ? ({ first: true } as const) : {};
  return [
    ...(needs.from
      ? [{ ...rule, source: cidr, destination: 'any', comment: 'k3s-doctor: what pods send', ...place }]
      : []),
    ...(needs.to
      ? [{ ...rule, source: 'any', destination: cidr, comment: 'k3s-doctor: what pods receive', ...place }]
      : []),
  ];
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

/** As iptables-save prints them. */
export function acceptRules(
  chain: string,
  { needs, cidr }: Pick<Opening, 'needs' | 'cidr'>,
  comment = '',
): readonly string[] {
  return [
    ...(needs.from ? [`[0:0] -A ${chain} -s ${cidr}${comment} -j ACCEPT`] : []),
    ...(needs.to ? [`[0:0] -A ${chain} -d ${cidr}${comment} -j ACCEPT`] : []),
  ];
}
