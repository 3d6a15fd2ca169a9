/**
 * Whether a rule inside an owned chain is one that the chain's owner writes. A rule of any other
 * shape (a person's DROP in KUBE-SERVICES, say) would be lost with the chain, so it stops the plan.
 *
 * Rules are known by target and comment, not by whole text: matches are printed differently from
 * version to version, targets and comments are not. Only where the owner writes no comment do the
 * kinds of matches count too.
 */
import { chainOwner, serviceChainKind } from './chain-owner.ts';
import { type Option, optionValue, type Rule } from './rule.ts';

export function isOwnersRule(table: string, rule: Rule): boolean {
  if (rule.jump?.kind === 'goto') return false;
  const shapes = chainShapes[`${table} ${shapeKey(rule.chain)}`] ?? [];
  return shapes.some((shape) => fits(shape, rule));
}

interface Shape {
  /** `none` stands for a rule without a target. */
  readonly target: RegExp;
  /** `none`: the owner writes this rule without a comment. */
  readonly comment: RegExp | 'none';
  /** An option that must be there, for rules known by nothing else; `! --mark` is the negated one. */
  readonly option?: readonly [name: string, value: RegExp];
  /** No other options than these, for rules that a person's would look like; left out: any. */
  readonly only?: readonly string[];
}

const servicePort = '[a-z0-9.-]+/[a-z0-9.-]+(:[a-z0-9.-]+)?';
const anything = /^/;
const ipvsSet = ['--match-set', /^KUBE-/] as const;
const aboutService = new RegExp(`(^| )${servicePort}( |$)`);
// Above 1,000 endpoints kube-proxy leaves these two kinds of comment away.
const toEndpoint: Shape = {
  target: /^KUBE-SEP-/,
  comment: 'none',
  only: ['-m', '--mode', '--probability', '--rcheck', '--seconds', '--reap', '--name', '--mask', '--rsource'],
};
const endpointItself: readonly Shape[] = [
  { target: /^KUBE-MARK-MASQ$/, comment: 'none', only: ['-s'] },
  { target: /^DNAT$/, comment: 'none', only: ['-p', '-m', '--set', '--name', '--mask', '--rsource'] },
];

const chainShapes: Readonly<Record<string, readonly Shape[]>> = {
  'nat KUBE-SVC': [{ target: /^KUBE-(SEP-|MARK-MASQ$)/, comment: aboutService }, toEndpoint],
  'nat KUBE-SVL': [{ target: /^KUBE-(SEP-|MARK-(MASQ|DROP)$)/, comment: aboutService }, toEndpoint],
  'nat KUBE-EXT': [
    { target: /^KUBE-(SVC-|MARK-MASQ$)/, comment: aboutService },
    { target: /^KUBE-SV[CL]-/, comment: 'none', only: [] },
  ],
  'nat KUBE-XLB': [
    { target: /^KUBE-(SVC-|SEP-|MARK-(MASQ|DROP)$)/, comment: aboutService },
    {
      target: /^KUBE-SVC-/,
      comment: /^Redirect pods trying to reach external loadbalancer VIP to clusterIP$/,
    },
    toEndpoint,
  ],
  // The last rule of a firewall chain only counts: it has a comment and no target.
  'nat KUBE-FW': [{ target: /^(KUBE-((EXT|SVC|XLB)-.*|MARK-(MASQ|DROP))|none)$/, comment: aboutService }],
  'nat KUBE-SEP': [{ target: /^(KUBE-MARK-MASQ|DNAT)$/, comment: aboutService }, ...endpointItself],
  'nat KUBE-SERVICES': [
    {
      target: /^KUBE-(SVC|SVL|EXT|FW|XLB)-|^KUBE-MARK-(MASQ|DROP)$/,
      comment: new RegExp(`^${servicePort} (cluster IP|external IP|loadbalancer IP)$`),
    },
    { target: /^KUBE-NODEPORTS$/, comment: /^kubernetes service nodeports/ },
    {
      target: /^(KUBE-(MARK-MASQ|LOAD-BALANCER|NODE-PORT)|ACCEPT|RETURN)$/,
      comment: anything,
      option: ipvsSet,
    },
    { target: /^KUBE-NODE-PORT$/, comment: 'none', option: ['--dst-type', /^LOCAL$/] },
    { target: /^RETURN$/, comment: 'none', option: ['-s', /^(127\.0\.0\.0\/8|::1\/128)$/], only: ['-s'] },
  ],
  'nat KUBE-NODEPORTS': [
    { target: /^KUBE-(SVC|SVL|EXT|XLB)-|^KUBE-MARK-MASQ$/, comment: new RegExp(`^${servicePort}$`) },
  ],
  'nat KUBE-POSTROUTING': [
    { target: /^RETURN$/, comment: 'none', option: ['! --mark', anything], only: ['-m', '--mark'] },
    { target: /^MARK$/, comment: 'none', only: [] },
    { target: /^MASQUERADE$/, comment: /^kubernetes service traffic requiring SNAT$/ },
    { target: /^MASQUERADE$/, comment: /Kubernetes endpoints dst ip:port, source ip/i, option: ipvsSet },
  ],
  'nat KUBE-MARK-MASQ': [{ target: /^MARK$/, comment: 'none', only: [] }],
  'nat KUBE-MARK-DROP': [{ target: /^MARK$/, comment: 'none', only: [] }],
  'nat KUBE-FIREWALL': [
    { target: /^RETURN$/, comment: anything, option: ipvsSet },
    { target: /^KUBE-MARK-DROP$/, comment: 'none', only: [] },
  ],
  'nat KUBE-LOAD-BALANCER': [
    { target: /^(RETURN|KUBE-FIREWALL)$/, comment: anything, option: ipvsSet },
    { target: /^KUBE-MARK-MASQ$/, comment: 'none', only: [] },
  ],
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
    {
      target: /^DROP$/,
      comment: new RegExp(`^${servicePort} traffic not accepted by KUBE-FW-[A-Z2-7]{16}$`),
    },
    { target: /^KUBE-SOURCE-RANGES-FIREWALL$/, comment: anything, option: ipvsSet },
  ],
  'filter KUBE-SOURCE-RANGES-FIREWALL': [
    { target: /^RETURN$/, comment: anything, option: ipvsSet },
    { target: /^DROP$/, comment: 'none', only: [] },
  ],
  'filter KUBE-FORWARD': [
    {
      target: /^DROP$/,
      comment: 'none',
      option: ['--ctstate', /^INVALID$/],
      only: ['-m', '--ctstate', '--nfacct-name'],
    },
    {
      target: /^ACCEPT$/,
      comment: /^kubernetes forwarding (rules|conntrack (pod (source|destination) )?rule)$/,
    },
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
    {
      target: /^(RETURN|ACCEPT)$/,
      comment: /^rule to explicitly ACCEPT traffic that comply to network policies$/,
    },
    { target: /^KUBE-NWPLCY-TAIL$/, comment: /^rule to explicitly handle traffic for network policies / },
  ],
  'filter KUBE-POD-FW': [
    {
      target: /^KUBE-NWPLCY-/,
      comment:
        /^(run through (default (ingress|egress) network policy|nw policy )|common bi-directional traffic )/,
    },
    { target: /^(ACCEPT|DROP|REJECT|NFLOG)$/, comment: /^(default )?rule (to|for) / },
    { target: /^MARK$/, comment: /^set mark to ACCEPT traffic that comply to network policies$/ },
    { target: /^MARK$/, comment: 'none', only: [] },
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
  const kind = serviceChainKind(chain);
  if (kind) return `KUBE-${kind}`;
  if (chainOwner(chain) === 'portmap-sandbox') return 'CNI-DN';
  return /^KUBE-(ROUTER|POD-FW|NWPLCY)(?=-)/.exec(chain)?.[0] ?? chain;
}

function fits({ target, comment, option, only }: Shape, rule: Rule): boolean {
  if (!target.test(rule.jump?.target ?? 'none')) return false;
  if (!fitsComment(comment, optionValue(rule, '--comment'))) return false;
  if (only && !rule.options.every(({ name }) => only.includes(name))) return false;
  return option === undefined || rule.options.some((candidate) => isOption(candidate, option));
}

function fitsComment(wanted: Shape['comment'], comment: string | undefined): boolean {
  if (wanted === 'none') return comment === undefined;
  return wanted === anything || (comment !== undefined && wanted.test(comment));
}

function isOption({ name, values, negated }: Option, [wanted, value]: readonly [string, RegExp]): boolean {
  return wanted === (negated ? `! ${name}` : name) && values[0] !== undefined && value.test(values[0]);
}
