import type { Family } from './parse-reading.ts';

export interface UfwDump {
  readonly family?: Family;
  /** What stands in the chain of user rules, after `-A ufw-user-input `. */
  readonly rules?: readonly string[];
  /** UFW's word for its default. */
  readonly incoming?: 'allow' | 'deny' | 'reject';
  /** Ahead of UFW in INPUT, after `-A INPUT `. */
  readonly before?: readonly string[];
}

/** What iptables-save prints of the table filter with UFW 0.36.2 on, without what is about other traffic. */
export function ufwDump({
  family = 'ipv4',
  rules = [],
  incoming = 'deny',
  before = [],
}: UfwDump = {}): string {
  const ufw = family === 'ipv4' ? 'ufw' : 'ufw6';
  const chains = [
    ...[
      'before-logging',
      'before',
      'after',
      'after-logging',
      'reject',
      'track',
      'user',
      'skip-to-policy',
    ].map((name) => `${ufw}-${name}-input`),
    ...(family === 'ipv4' ? ['ufw-not-local'] : []),
    `${ufw}-logging-deny`,
  ];
  return lines(
    '*filter',
    `:INPUT ${incoming === 'allow' ? 'ACCEPT' : 'DROP'} [0:0]`,
    ':FORWARD DROP [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    ...chains.map((chain) => `:${chain} - [0:0]`),
    ...before.map((rule) => `-A INPUT ${rule}`),
    ...['before-logging', 'before', 'after', 'after-logging', 'reject', 'track'].map(
      (name) => `-A INPUT -j ${ufw}-${name}-input`,
    ),
    `-A ${ufw}-after-input -p udp -m udp --dport 137 -j ${ufw}-skip-to-policy-input`,
    `-A ${ufw}-after-logging-input -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "`,
    `-A ${ufw}-before-input -i lo -j ACCEPT`,
    `-A ${ufw}-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    `-A ${ufw}-before-input -m conntrack --ctstate INVALID -j ${ufw}-logging-deny`,
    `-A ${ufw}-before-input -m conntrack --ctstate INVALID -j DROP`,
    ...(family === 'ipv4'
      ? [
          '-A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT',
          '-A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT',
          '-A ufw-before-input -j ufw-not-local',
        ]
      : []),
    `-A ${ufw}-before-input -j ${ufw}-user-input`,
    `-A ${ufw}-logging-deny -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "`,
    ...(family === 'ipv4'
      ? [
          '-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN',
          '-A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN',
          '-A ufw-not-local -m addrtype --dst-type BROADCAST -j RETURN',
          '-A ufw-not-local -j DROP',
        ]
      : []),
    ...(incoming === 'reject'
      ? [
          `-A ${ufw}-reject-input -j REJECT --reject-with ${family === 'ipv4' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable'}`,
        ]
      : []),
    `-A ${ufw}-skip-to-policy-input -j DROP`,
    ...rules.map((rule) => `-A ${ufw}-user-input ${rule}`),
    'COMMIT',
  );
}

/** The same after `ufw disable`: its chains are there, and empty. */
export function ufwDisabledDump(): string {
  return ufwDump({ incoming: 'allow' }).replace(/^-A ufw-.*\n/gm, '');
}

/** A table filter with nothing but a chain INPUT. */
export function inputDump(policy: 'ACCEPT' | 'DROP', rules: readonly string[] = []): string {
  return lines(
    '*filter',
    `:INPUT ${policy} [0:0]`,
    ':FORWARD ACCEPT [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    ...rules.map((rule) => `-A INPUT ${rule}`),
    'COMMIT',
  );
}

function lines(...all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}

/**
 * What `nft -j list ruleset` prints of firewalld 1.3's way of a packet that comes in over zone public,
 * without what is about other traffic. `deny` and `allow`: expressions of rules in the zone's chains.
 */
export function firewalldObjects(
  zoneRules: { readonly deny?: readonly object[]; readonly allow?: readonly object[] } = {},
): readonly unknown[] {
  const table = { family: 'inet', table: 'firewalld' };
  const chain = (name: string, hook?: object) => ({ chain: { ...table, name, handle: 1, ...hook } });
  const rule = (name: string, ...expr: readonly object[]) => ({
    rule: { ...table, chain: name, handle: 1, expr },
  });
  const jump = (target: string) => ({ jump: { target } });
  const reject = { reject: { type: 'icmpx', expr: 'admin-prohibited' } };
  const state = (right: unknown) => ({ match: { op: 'in', left: { ct: { key: 'state' } }, right } });
  const zone = ['pre', 'log', 'deny', 'allow', 'post'].map((part) => `filter_IN_public_${part}`);
  return [
    { table: { family: 'inet', name: 'firewalld', handle: 1 } },
    chain('filter_INPUT', { type: 'filter', hook: 'input', prio: 10, policy: 'accept' }),
    ...['filter_INPUT_ZONES', 'filter_IN_public', ...zone].map((name) => chain(name)),
    rule('filter_INPUT', state({ set: ['established', 'related'] }), { accept: null }),
    rule(
      'filter_INPUT',
      { match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'lo' } },
      { accept: null },
    ),
    rule('filter_INPUT', state('invalid'), { drop: null }),
    rule('filter_INPUT', jump('filter_INPUT_ZONES')),
    rule('filter_INPUT', reject),
    rule('filter_INPUT_ZONES', { goto: { target: 'filter_IN_public' } }),
    ...zone.map((name) => rule('filter_IN_public', jump(name))),
    rule('filter_IN_public', reject),
    ...(zoneRules.deny ?? []).map((expr) => rule('filter_IN_public_deny', expr, { drop: null })),
    ...(zoneRules.allow ?? []).map((expr) => rule('filter_IN_public_allow', expr, { accept: null })),
  ];
}
