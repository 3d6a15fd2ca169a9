import type { Family } from '../../../../src/netfilter/ruleset.ts';
import type { Words } from './words.ts';

/** Values of one type, as nft writes them in sets and rules. */
export interface ValueType {
  /** As a set declares it. */
  readonly type: string;
  /** What of a packet is compared. */
  readonly selector: string;
  readonly one: () => string;
  /** Something that holds several; undefined where there is none. */
  readonly several?: () => string;
}

export interface ValueOptions {
  readonly words: Words;
  readonly family: Family;
}

export function addressType({ words, family }: ValueOptions, which: 'saddr' | 'daddr'): ValueType {
  const ip = family === 'ipv4' ? 'ip' : 'ip6';
  return {
    type: family === 'ipv4' ? 'ipv4_addr' : 'ipv6_addr',
    selector: `${ip} ${which}`,
    one: () => words.address(family),
    several: () => network({ words, family }),
  };
}

/** In its canonical spelling: nft takes no bits behind the length in an interval. */
function network({ words, family }: ValueOptions): string {
  const [address = '', length = ''] = words.network(family).split('/');
  return `${address}/${Number(length) < 8 ? 8 : length}`;
}

export function portType({ words }: ValueOptions, protocol: string, which: 'sport' | 'dport'): ValueType {
  return {
    type: 'inet_service',
    selector: `${protocol} ${which}`,
    one: () => `${which === 'dport' ? words.port() : 1024 + words.random.below(60_000)}`,
    several: () => (which === 'dport' ? words.portRange('-') : words.sourcePortRange('-')),
  };
}

export function linkType({ words }: ValueOptions, which: 'iifname' | 'oifname'): ValueType {
  return { type: 'ifname', selector: which, one: () => `"${words.link().replace('+', '*')}"` };
}

export function markType({ words }: ValueOptions, which: 'meta mark' | 'ct mark'): ValueType {
  return {
    type: 'mark',
    selector: which,
    one: () => words.random.pick(['0x0', '0x1', '0x4000', '0x20000', '0x4001']),
    several: () => words.random.pick(['0x0-0x1', '0x4000-0x5000', '0x1-0x20000']),
  };
}

export function protocolType({ words, family }: ValueOptions): ValueType {
  const icmp = family === 'ipv4' ? 'icmp' : 'ipv6-icmp';
  return {
    type: 'inet_proto',
    selector: 'meta l4proto',
    one: () => words.random.pick(['tcp', 'tcp', 'udp', 'udp', icmp, 'esp', 'sctp']),
  };
}

export function stateType({ words }: ValueOptions): ValueType {
  return {
    type: 'ct_state',
    selector: 'ct state',
    one: () => words.random.pick(['new', 'established', 'related', 'invalid', 'untracked']),
  };
}

export function someValues(value: ValueType, { random }: Words, most = 5): string[] {
  const made = Array.from({ length: 1 + random.below(most) }, () =>
    value.several && random.chance(0.3) ? value.several() : value.one(),
  );
  return disjoint(made);
}

/** Drops what may overlap with an earlier one, in a coarse way; nft refuses intervals that do. */
export function disjoint(values: readonly string[]): string[] {
  const kept: string[] = [];
  for (const value of values) {
    const isWide = /[-/*]/.test(value);
    if (kept.includes(value)) continue;
    if (isWide && kept.length > 0) continue;
    if (kept.some((other) => /[-/*]/.test(other))) continue;
    kept.push(value);
  }
  return kept;
}
