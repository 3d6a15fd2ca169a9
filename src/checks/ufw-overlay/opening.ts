import type { NeededFlow } from '../../facts/flow.ts';
import type { Ufw } from '../../facts/ufw.ts';
import { type Backend, backends, type Family, ruleLines } from '../../netfilter/ruleset.ts';
import type { FirewallReading } from '../../netfilter/walk/reading.ts';
import type { ChainRef } from '../../netfilter/walk/walk.ts';
import type { Gap } from './judge.ts';
import { zoneOf } from './zone.ts';

/** What would open a gap: a rule of the firewall that decided, made by its own tool. */
export type Opening =
  | { readonly kind: 'ufw'; readonly need: NeededFlow; readonly backend: Backend }
  | { readonly kind: 'firewalld'; readonly need: NeededFlow; readonly zone: string; readonly home: ChainRef };

/** Why there is none. `by`: whose rule it is, for the commands that a person can type. */
export interface Obstacle {
  readonly kind: 'obstacle';
  readonly by: 'ufw-rule' | 'ufw-off' | 'firewalld-rule' | 'rule';
  readonly why: string;
}

export interface Firewalls {
  readonly reading: FirewallReading;
  readonly ufw: Ufw;
  readonly firewalld: boolean;
}

/** Only what nobody wrote a rule about is opened: a default. A rule that says no is somebody's word. */
export function findOpening({ need, verdict, end }: Gap, firewalls: Firewalls): Opening | Obstacle {
  const { decidedBy } = end;
  if (decidedBy.kind === 'kernel') return obstacle('rule', `the kernel stops it: ${decidedBy.reason}`);
  if (decidedBy.kind === 'nothing') return obstacle('rule', 'no rule stops it');
  const at = decidedBy.kind === 'rule' ? decidedBy.rule : decidedBy.chain;
  if (verdict === 'depends') return obstacle('rule', 'it gets in sometimes, and a rule sets how often');
  if (at.backend === 'native' && at.table === 'firewalld') return openZone(need, at, firewalls);
  if (at.backend === 'native') return obstacle('rule', "the table is neither UFW's nor firewalld's");
  if (!isUfwDefault(at, decidedBy.kind)) {
    return isUfwChain(at.chain)
      ? obstacle('ufw-rule', "a rule of UFW's says so, not its default")
      : obstacle('rule', "the rule is not UFW's");
  }
  return openUfw(need, at.backend, firewalls);
}

function openUfw(need: NeededFlow, backend: Backend, { reading, ufw }: Firewalls): Opening | Obstacle {
  const { family } = need;
  const filled = backends.filter((each) => hasUfwRules(reading, each, family));
  if (!filled.includes(backend)) {
    return obstacle('rule', `the policy is not UFW's: its chains are not in ${backend}, or empty`);
  }
  switch (ufw.kind) {
    case 'absent':
    case 'inactive':
      return obstacle('ufw-off', 'UFW is off by its configuration, and its rules are still in the kernel');
    case 'unavailable':
      return obstacle('ufw-rule', `UFW's files cannot be understood: ${ufw.reason}`);
  }
  if (filled.length > 1) {
    return obstacle('rule', "UFW's rules are in both backends, and it maintains one of them");
  }
  if (family === 'ipv6' && !ufw.ipv6) {
    return obstacle('rule', 'UFW leaves IPv6 alone (IPV6=no in /etc/default/ufw)');
  }
  return { kind: 'ufw', need, backend };
}

/** UFW's `deny` is the policy of INPUT; its `reject` a chain of its own. */
function isUfwDefault({ table, chain }: ChainRef, kind: 'rule' | 'policy'): boolean {
  if (table !== 'filter') return false;
  return kind === 'policy' ? chain === 'INPUT' : /^ufw6?-(reject|skip-to-policy)-input$/.test(chain);
}

function isUfwChain(chain: string): boolean {
  return /^ufw6?-/.test(chain);
}

/** After `ufw disable` its chains are still there, and empty. */
function hasUfwRules(reading: FirewallReading, backend: Backend, family: Family): boolean {
  const dump = reading.iptables[backend][family];
  if (dump.kind !== 'present') return false;
  const filter = dump.ruleset.tables.get('filter');
  const before = family === 'ipv6' ? 'ufw6-before-input' : 'ufw-before-input';
  const input = filter?.chains.get('INPUT');
  const isCalled = input && [...ruleLines(dump.ruleset, input)].some((line) => line.endsWith(`-j ${before}`));
  return isCalled === true && (filter?.chains.get(before)?.ruleCount ?? 0) > 0;
}

function openZone(need: NeededFlow, at: ChainRef, { firewalld }: Firewalls): Opening | Obstacle {
  const place = zoneOf(at.chain);
  if (!firewalld) return obstacle('rule', 'firewalld does not run, and its rules are still in the kernel');
  if (place === undefined || place.part !== undefined) {
    return obstacle('firewalld-rule', "a rule of firewalld's says so, not its default");
  }
  return { kind: 'firewalld', need, zone: place.zone, home: { ...at, chain: `${at.chain}_allow` } };
}

function obstacle(by: Obstacle['by'], why: string): Obstacle {
  return { kind: 'obstacle', by, why };
}
