/**
 * The rules that kube-proxy, kubelet and kube-router put into built-in chains, exactly. Only these
 * may ever be taken out of a built-in chain; anything else that points at an owned chain is
 * somebody else's and stops the plan.
 */
import { optionValue, type Rule } from './rule.ts';

/** True for a jump from a built-in chain that its owner writes, in any version we know. */
export function isKnownJump(table: string, rule: Rule): boolean {
  if (rule.jump?.kind !== 'jump' || rule.jump.options.length > 0) return false;
  const { target } = rule.jump;
  if (isPodJump(table, rule, target)) return true;
  return knownJumps.some(
    (known) =>
      known.table === table &&
      known.target === target &&
      known.chains.includes(rule.chain) &&
      optionValue(rule, '--comment') === known.comment &&
      hasOnly(rule, known.comment === undefined ? [] : ['comment'], known.newOnly ?? 'never'),
  );
}

/**
 * kube-router's accept for marked packets. It sits in built-in chains and names no owned chain, so
 * it survives every removal by chain name; on the backend that nobody maintains it opens things.
 */
export function isNetworkPolicyResidue(table: string, rule: Rule): boolean {
  const comment = 'KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies';
  return (
    table === 'filter' &&
    ['INPUT', 'FORWARD', 'OUTPUT'].includes(rule.chain) &&
    rule.jump?.kind === 'jump' &&
    rule.jump.target === 'ACCEPT' &&
    optionValue(rule, '--comment')?.toUpperCase() === comment.toUpperCase() &&
    optionValue(rule, '--mark') === '0x20000/0x20000' &&
    rule.options.length === 4 &&
    rule.options.every((option) => !option.negated && ['-m', '--comment', '--mark'].includes(option.name))
  );
}

interface KnownJump {
  readonly table: string;
  readonly chains: readonly string[];
  readonly target: string;
  readonly comment: string | undefined;
  /** Whether `-m conntrack --ctstate NEW` goes with it: some versions write it, some do not. */
  readonly newOnly?: 'maybe';
}

const knownJumps: readonly KnownJump[] = [
  {
    table: 'nat',
    chains: ['PREROUTING', 'OUTPUT'],
    target: 'KUBE-SERVICES',
    comment: 'kubernetes service portals',
  },
  {
    table: 'nat',
    chains: ['POSTROUTING'],
    target: 'KUBE-POSTROUTING',
    comment: 'kubernetes postrouting rules',
  },
  {
    table: 'filter',
    chains: ['INPUT', 'FORWARD', 'OUTPUT'],
    target: 'KUBE-SERVICES',
    comment: 'kubernetes service portals',
    newOnly: 'maybe',
  },
  {
    table: 'filter',
    chains: ['INPUT', 'FORWARD'],
    target: 'KUBE-EXTERNAL-SERVICES',
    comment: 'kubernetes externally-visible service portals',
    newOnly: 'maybe',
  },
  {
    table: 'filter',
    chains: ['INPUT', 'FORWARD', 'OUTPUT'],
    target: 'KUBE-PROXY-FIREWALL',
    comment: 'kubernetes load balancer firewall',
    newOnly: 'maybe',
  },
  {
    table: 'filter',
    chains: ['INPUT'],
    target: 'KUBE-NODEPORTS',
    comment: 'kubernetes health check service ports',
  },
  {
    table: 'filter',
    chains: ['FORWARD'],
    target: 'KUBE-FORWARD',
    comment: 'kubernetes forwarding rules',
  },
  { table: 'filter', chains: ['INPUT', 'OUTPUT'], target: 'KUBE-FIREWALL', comment: undefined },
  {
    table: 'filter',
    chains: ['INPUT'],
    target: 'KUBE-NODE-PORT',
    comment: 'kubernetes health check rules',
  },
  {
    table: 'filter',
    chains: ['INPUT'],
    target: 'KUBE-IPVS-FILTER',
    comment: 'kubernetes ipvs access filter',
  },
  {
    table: 'filter',
    chains: ['OUTPUT'],
    target: 'KUBE-IPVS-OUT-FILTER',
    comment: 'kubernetes ipvs access filter',
  },
  {
    table: 'filter',
    chains: ['INPUT', 'FORWARD'],
    target: 'KUBE-PROXY-FIREWALL',
    comment: 'kube-proxy firewall rules',
  },
  // The last word is base32(sha256(chain and rule)): the same on every host.
  {
    table: 'filter',
    chains: ['INPUT'],
    target: 'KUBE-ROUTER-INPUT',
    comment: 'kube-router netpol - 4IA2OSFRMVNDXBVV',
  },
  {
    table: 'filter',
    chains: ['FORWARD'],
    target: 'KUBE-ROUTER-FORWARD',
    comment: 'kube-router netpol - TEMCG2JMHZYE7H7T',
  },
  {
    table: 'filter',
    chains: ['OUTPUT'],
    target: 'KUBE-ROUTER-OUTPUT',
    comment: 'kube-router netpol - VEAAIY32XVBHCSCY',
  },
];

/** Before kube-router had chains of its own for each hook, it jumped to each pod's from built-in ones. */
function isPodJump(table: string, rule: Rule, target: string): boolean {
  const comment = optionValue(rule, '--comment') ?? '';
  return (
    table === 'filter' &&
    ['FORWARD', 'OUTPUT'].includes(rule.chain) &&
    /^KUBE-POD-FW-/.test(target) &&
    /^rule to jump traffic (from|destined to) POD name:\S+ namespace: \S+ to chain /.test(comment) &&
    comment.endsWith(` to chain ${target}`)
  );
}

function hasOnly(rule: Rule, modules: readonly string[], newOnly: 'maybe' | 'never'): boolean {
  return rule.options.every((option) => {
    if (option.negated) return false;
    const value = option.values.join(' ');
    if (option.name === '-m')
      return modules.includes(value) || (newOnly === 'maybe' && value === 'conntrack');
    if (option.name === '--comment') return modules.includes('comment');
    return option.name === '--ctstate' && newOnly === 'maybe' && value === 'NEW';
  });
}
