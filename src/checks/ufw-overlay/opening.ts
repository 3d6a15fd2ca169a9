import type { NeededFlow } from '../../facts/flow.ts';
import type { Ufw } from '../../facts/ufw.ts';
import { type Backend, backends, type Family, ruleLines } from '../../netfilter/ruleset.ts';
import type { FirewallReading } from '../../netfilter/walk/reading.ts';
import type { ChainRef, End } from '../../netfilter/walk/walk.ts';
import type { Gap } from './judge.ts';
import { zoneOf } from './zone.ts';

/** What would open a gap: a rule of the firewall that decided, made by its own tool. */
export type Opening =
  | { readonly kind: 'ufw'; readonly need: NeededFlow; readonly backend: Backend }
  | { readonly kind: 'firewalld'; readonly need: NeededFlow; readonly zone: string; readonly home: ChainRef };

/** Why there is none, and where a person would begin. */
export interface Obstacle {
  readonly kind: 'obstacle';
  readonly why: string;
  readonly way: Way;
}

export type Way =
  /** Ahead of a rule in UFW's list; in the files that it reads before that; on or off at all. */
  | { readonly kind: 'ufw-list' | 'ufw-file' | 'ufw-switch' }
  /** Ahead of what a zone of firewalld's denies; ahead of any other rule. */
  | { readonly kind: 'zone' | 'rule' }
  /** Our rule would be one of two: there is another one behind. */
  | { readonly kind: 'two'; readonly opening: Opening; readonly next: End }
  | { readonly kind: 'none' };

export interface Firewalls {
  readonly reading: FirewallReading;
  readonly ufw: Ufw;
  readonly firewalld: boolean;
}

/** Only what nobody wrote a rule about is opened: a default. A rule that says no is somebody's word. */
export function findOpening({ need, verdict, end }: Gap, firewalls: Firewalls): Opening | Obstacle {
  const { decidedBy } = end;
  if (decidedBy.kind === 'kernel') return obstacle('none', `the kernel stops it: ${decidedBy.reason}`);
  if (decidedBy.kind === 'nothing') return obstacle('none', 'no rule stops it');
  const at = decidedBy.kind === 'rule' ? decidedBy.rule : decidedBy.chain;
  if (verdict === 'depends') return obstacle(wayOf(at), 'it gets in sometimes, and a rule sets how often');
  if (at.backend === 'native' && at.table === 'firewalld') return openZone(need, at, firewalls);
  if (at.backend === 'native') return obstacle('rule', "the table is neither UFW's nor firewalld's");
  if (isUfwDefault(at, decidedBy.kind)) return openUfw(need, at.backend, firewalls);
  if (/^ufw6?-user-/.test(at.chain)) return obstacle('ufw-list', "a rule of UFW's says so, not its default");
  if (/^ufw6?-/.test(at.chain)) return obstacle('ufw-file', 'a rule in the files of UFW says so');
  return obstacle('rule', "the rule is not UFW's");
}

/** Where a person would get ahead of it. */
function wayOf({ backend, table, chain }: ChainRef): 'ufw-list' | 'zone' | 'rule' {
  if (backend === 'native') return table === 'firewalld' ? 'zone' : 'rule';
  return chain === 'INPUT' || chain.startsWith('ufw') ? 'ufw-list' : 'rule';
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
      return obstacle('ufw-switch', 'UFW is off by its configuration, and its rules are still in the kernel');
    case 'unavailable':
      return obstacle('rule', `UFW's files cannot be understood: ${ufw.reason}`);
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
    return obstacle('zone', "a rule of firewalld's says so, not its default");
  }
  return { kind: 'firewalld', need, zone: place.zone, home: { ...at, chain: `${at.chain}_allow` } };
}

function obstacle(kind: Exclude<Way['kind'], 'two'>, why: string): Obstacle {
  return { kind: 'obstacle', why, way: { kind } };
}
