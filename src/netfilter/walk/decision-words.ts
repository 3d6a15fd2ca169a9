import type { ChainRef, Decision, RuleRef } from './walk.ts';

/** Who decided a walk, in a few words: `rule 3 of ufw-user-input, iptables-nft filter`. */
export function decisionWords(decision: Decision): string {
  switch (decision.kind) {
    case 'rule':
      return ruleWords(decision.rule);
    case 'policy':
      return `the policy of ${decision.chain.chain}, ${tableWords(decision.chain)}`;
    case 'nothing':
      return 'no rule';
    case 'kernel':
      return decision.reason;
  }
}

/** What stands for a whole chain, or for rules that could not be read, has the number 0. */
export function ruleWords(rule: RuleRef): string {
  if (rule.table === '') return 'rules that could not be read';
  if (rule.number === 0) return `chain ${rule.chain}, ${tableWords(rule)}`;
  return `rule ${rule.number} of ${rule.chain}, ${tableWords(rule)}`;
}

/** `iptables-legacy filter`, `ip6tables-nft nat`, `nft inet firewalld`. */
export function tableWords({ backend, family, table }: ChainRef): string {
  if (backend === 'native') return `nft ${nftFamily(family)} ${table}`;
  return `${family === 'ipv6' ? 'ip6tables' : 'iptables'}-${backend} ${table}`;
}

/** As nft calls it. */
export function nftFamily(family: ChainRef['family']): string {
  if (family === 'ipv4') return 'ip';
  return family === 'ipv6' ? 'ip6' : family;
}
