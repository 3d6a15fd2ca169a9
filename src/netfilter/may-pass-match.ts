import type { Option, Rule } from './rule.ts';

/** The first packet of a TCP connection, from outside to an address of this node itself. */
export interface NewTcpPacket {
  /** As the kernel prints it. */
  readonly address: string;
  readonly port: number;
}

export interface MatchContext {
  readonly packet: NewTcpPacket;
  readonly mayBeUntracked: boolean;
}

/** `maybe`: it depends on where the packet comes from, or on something that is not understood here. */
export type Match = 'yes' | 'no' | 'maybe';

/** Whether a rule is for the packet: every one of its conditions has to hold. */
export function matchesNewTcp(rule: Rule, context: MatchContext): Match {
  let all: Match = 'yes';
  for (const option of rule.options) {
    const one = holds(option, context);
    const match = option.negated ? opposite(one) : one;
    if (match === 'no') return 'no';
    if (match === 'maybe') all = 'maybe';
  }
  return all;
}

function opposite(match: Match): Match {
  if (match === 'maybe') return 'maybe';
  return match === 'yes' ? 'no' : 'yes';
}

function holds({ name, values, negated }: Option, { packet, mayBeUntracked }: MatchContext): Match {
  const [value = '', second = ''] = values;
  switch (name) {
    case '-m':
      return understood.has(value) ? 'yes' : 'maybe';
    case '--comment':
      return 'yes';
    case '-p':
      return yesIf(value === 'tcp' || value === '6');
    case '-i':
      return value === 'lo' ? 'no' : 'maybe';
    case '-o':
      // It leaves through none. What the negation makes of that is not the same in both backends.
      return negated ? 'maybe' : 'no';
    case '-s':
      // Such a source is refused by the kernel, unless it comes over the loopback interface.
      return value.startsWith('127.') || value === '::1/128' ? 'no' : 'maybe';
    case '-d':
      return isWithin(packet.address, value);
    case '--dport':
    case '--dports':
      return yesIf(includesPort(value, packet.port));
    case '--ports':
      return includesPort(value, packet.port) ? 'yes' : 'maybe';
    case '--tcp-flags':
      return yesIf(second === (/\b(SYN|ALL)\b/.test(value) ? 'SYN' : 'NONE'));
    case '--ctstate':
    case '--state':
      return hasState(value.split(','), mayBeUntracked);
    case '--dst-type':
      return yesIf(value.split(',').includes('LOCAL'));
    default:
      return 'maybe';
  }
}

/** Matches that demand nothing beyond their options. */
const understood: ReadonlySet<string> = new Set([
  'tcp',
  'udp',
  'icmp',
  'icmp6',
  'comment',
  'conntrack',
  'state',
  'multiport',
  'addrtype',
]);

function yesIf(condition: boolean): Match {
  return condition ? 'yes' : 'no';
}

/** `22`, `80:90`, `22,80:90`, as iptables-save prints them. */
function includesPort(list: string, port: number): boolean {
  return list.split(',').some((range) => {
    const [first = '', last = first] = range.split(':');
    return Number(first) <= port && port <= Number(last);
  });
}

/** DNAT is no state of its own: a translated connection is NEW besides. */
function hasState(states: readonly string[], mayBeUntracked: boolean): Match {
  if (mayBeUntracked) return 'maybe';
  if (states.includes('NEW')) return 'yes';
  return states.includes('DNAT') || states.includes('SNAT') ? 'maybe' : 'no';
}

function isWithin(address: string, network: string): Match {
  const [base = '', length = ''] = network.split('/');
  if (address.includes(':') !== base.includes(':')) return 'no';
  if (length === '32' || length === '128') return yesIf(address === base);
  const bits = /^\d+$/.test(length) && !address.includes(':') ? 32 - Number(length) : undefined;
  if (bits === undefined) return 'maybe';
  return yesIf(Math.floor(toNumber(address) / 2 ** bits) === Math.floor(toNumber(base) / 2 ** bits));
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
