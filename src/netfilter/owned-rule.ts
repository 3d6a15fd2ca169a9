/**
 * Whether a rule inside an owned chain is one that the chain's owner writes. A rule of any other
 * shape (a person's DROP in KUBE-SERVICES, say) would be lost with the chain, so it stops the plan.
 *
 * Rules are known by target and comment, not by whole text: matches are printed differently from
 * version to version, targets and comments are not.
 */
import { chainOwner, type ServiceChainKind, serviceChainKind } from './chain-owner.ts';
import { optionValue, type Rule } from './rule.ts';

export function isOwnersRule(table: string, rule: Rule): boolean {
  if (rule.jump?.kind === 'goto') return false;
  const kind = serviceChainKind(rule.chain);
  if (kind) return table === 'nat' && serviceTargets[kind].test(rule.jump?.target ?? 'none');
  const shapes = chainShapes[`${table} ${shapeKey(rule.chain)}`] ?? [];
  return shapes.some((shape) => fits(shape, rule));
}

interface Shape {
  readonly target: RegExp;
  /** `none`: the owner writes this rule without a comment. */
  readonly comment: RegExp | 'none';
  /** An option that must be there, for rules known by nothing else. */
  readonly option?: readonly [name: string, value: RegExp];
}

const serviceTargets: Readonly<Record<ServiceChainKind, RegExp>> = {
  SVC: /^KUBE-(SEP-.*|MARK-MASQ|MARK-DROP)$/,
  SVL: /^KUBE-(SEP-.*|MARK-MASQ|MARK-DROP)$/,
  EXT: /^KUBE-(SVC-.*|SVL-.*|SEP-.*|MARK-MASQ|MARK-DROP)$/,
  XLB: /^KUBE-(SVC-.*|SVL-.*|SEP-.*|MARK-MASQ|MARK-DROP)$/,
  // The last rule of a firewall chain only counts: it has a comment and no target.
  FW: /^(KUBE-(EXT-.*|SVC-.*|XLB-.*|MARK-MASQ|MARK-DROP)|none)$/,
  SEP: /^(KUBE-MARK-MASQ|DNAT)$/,
};

const servicePort = '[a-z0-9.-]+/[a-z0-9.-]+(:[a-z0-9.-]+)?';
const anything = /^/;
const ipvsSet = ['--match-set', /^KUBE-/] as const;

const chainShapes: Readonly<Record<string, readonly Shape[]>> = {
  'nat KUBE-SERVICES': [
    {
      target: /^KUBE-(SVC|SVL|EXT|FW|XLB)-|^KUBE-MARK-(MASQ|DROP)$/,
      comment: new RegExp(`^${servicePort} (cluster IP|external IP|loadbalancer IP)$`),
    },
    { target: /^KUBE-NODEPORTS$/, comment: /^kubernetes service nodeports/ },
    { target: /^(KUBE-(MARK-MASQ|LOAD-BALANCER|NODE-PORT)|ACCEPT|RETURN)$/, comment: anything, option: ipvsSet },
    { target: /^KUBE-NODE-PORT$/, comment: 'none', option: ['--dst-type', /^LOCAL$/] },
    { target: /^RETURN$/, comment: 'none', option: ['-s', /^127\.0\.0\.0\/8$/] },
  ],
  'nat KUBE-NODEPORTS': [
    { target: /^KUBE-(SVC|SVL|EXT|XLB)-|^KUBE-MARK-MASQ$/, comment: new RegExp(`^${servicePort}$`) },
  ],
  'nat KUBE-POSTROUTING': [
    { target: /^RETURN$/, comment: 'none', option: ['--mark', anything] },
    { target: /^MARK$/, comment: 'none' },
    { target: /^MASQUERADE$/, comment: /^kubernetes service traffic requiring SNAT$/ },
    { target: /^MASQUERADE$/, comment: /Kubernetes endpoints dst ip:port, source ip/i, option: ipvsSet },
  ],
  'nat KUBE-MARK-MASQ': [{ target: /^MARK$/, comment: 'none' }],
  'nat KUBE-MARK-DROP': [{ target: /^MARK$/, comment: 'none' }],
  'nat KUBE-FIREWALL': [
    { target: /^RETURN$/, comment: anything, option: ipvsSet },
    { target: /^KUBE-MARK-DROP$/, comment: 'none' },
  ],
  'nat KUBE-LOAD-BALANCER': [{ target: /^(KUBE-MARK-MASQ|RETURN)$/, comment: anything }],
  'nat KUBE-NODE-PORT': [{ target: /^(KUBE-MARK-MASQ|RETURN)$/, comment: anything, option: ipvsSet }],
  'filter KUBE-SERVICES': [
    { target: /^(REJECT|DROP)$/, comment: new RegExp(`^${servicePort} has no (local )?endpoints$`) },
  ],
  'filter KUBE-EXTERNAL-SERVICES': [
    { target: /^(REJECT|DROP)$/, comment: new RegExp(`^${servicePort} has no (local )?endpoints$`) },
  ],
  'filter KUBE-NODEPORTS': [
    { target: /^ACCEPT$/, comment: new RegExp(`^${servicePort} health check node port$`) },
  ],
  'filter KUBE-PROXY-FIREWALL': [
    { target: /^DROP$/, comment: new RegExp(`^${servicePort} traffic not accepted by KUBE-FW-[A-Z2-7]{16}$`) },
    { target: /^KUBE-SOURCE-RANGES-FIREWALL$/, comment: anything, option: ipvsSet },
  ],
  'filter KUBE-SOURCE-RANGES-FIREWALL': [
    { target: /^RETURN$/, comment: anything, option: ipvsSet },
    { target: /^DROP$/, comment: 'none' },
  ],
  'filter KUBE-FORWARD': [
    { target: /^DROP$/, comment: 'none', option: ['--ctstate', /^INVALID$/] },
    { target: /^ACCEPT$/, comment: /^kubernetes forwarding (rules|conntrack (pod (source|destination) )?rule)$/ },
  ],
  'filter KUBE-FIREWALL': [
    {
      target: /^DROP$/,
      comment: /^(kubernetes firewall for dropping marked packets|block incoming localnet connections)$/,
    },
  ],
  'filter KUBE-NODE-PORT': [{ target: /^ACCEPT$/, comment: anything, option: ipvsSet }],
  'filter KUBE-IPVS-FILTER': [
    { target: /^RETURN$/, comment: anything, option: ipvsSet },
    { target: /^REJECT$/, comment: anything, option: ipvsSet },
  ],
  'filter KUBE-IPVS-OUT-FILTER': [{ target: /^DROP$/, comment: 'none', option: ['--vaddr', anything] }],
  'filter KUBE-ROUTER': [
    { target: /^KUBE-POD-FW-/, comment: /^rule to jump traffic (from|destined to) POD name:/ },
    { target: /^(RETURN|ACCEPT)$/, comment: /^allow (LOCAL (TCP|UDP) )?traffic to / },
    { target: /^RETURN$/, comment: /^allow LOCAL (TCP|UDP) traffic to node ports / },
    { target: /^(RETURN|ACCEPT)$/, comment: /^rule to explicitly ACCEPT traffic that comply to network policies$/ },
    { target: /^KUBE-NWPLCY-TAIL$/, comment: /^rule to explicitly handle traffic for network policies / },
  ],
  'filter KUBE-POD-FW': [
    {
      target: /^KUBE-NWPLCY-/,
      comment: /^(run through (default (ingress|egress) network policy|nw policy )|common bi-directional traffic )/,
    },
    { target: /^(ACCEPT|DROP|REJECT|NFLOG)$/, comment: /^(default )?rule (to|for) / },
    { target: /^MARK$/, comment: /^set mark to ACCEPT traffic that comply to network policies$/ },
    { target: /^MARK$/, comment: 'none' },
  ],
  // One version passes the comment with quotes around it, which then are part of it.
  'filter KUBE-NWPLCY': [
    { target: /^(ACCEPT|REJECT|DROP|MARK|RETURN|NFLOG)$/, comment: /^"?(rule (to|for) |allow icmp )/ },
  ],
  'nat CNI-DN': [
    // KUBE-MARK-MASQ where the CNI configuration says so (externalSetMarkChain).
    { target: /^(CNI-HOSTPORT-SETMARK|KUBE-MARK-MASQ)$/, comment: 'none' },
    { target: /^DNAT$/, comment: 'none' },
  ],
};

/** Chains that differ only in a hash or a hook share their shapes. */
function shapeKey(chain: string): string {
  if (chainOwner(chain) === 'portmap-sandbox') return 'CNI-DN';
  return /^KUBE-(ROUTER|POD-FW|NWPLCY)(?=-)/.exec(chain)?.[0] ?? chain;
}

function fits(shape: Shape, rule: Rule): boolean {
  const comment = optionValue(rule, '--comment');
  if (shape.comment === 'none' ? comment !== undefined : comment === undefined && shape.comment !== anything) {
    return false;
  }
  if (shape.comment !== 'none' && !shape.comment.test(comment ?? '')) return false;
  if (!shape.target.test(rule.jump?.target ?? 'none')) return false;
  if (!shape.option) return true;
  const [name, value] = shape.option;
  const option = rule.options.find((candidate) => candidate.name === name);
  return option?.values[0] !== undefined && value.test(option.values[0]);
}
