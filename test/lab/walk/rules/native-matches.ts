import type { Family } from '../../../../src/netfilter/ruleset.ts';
import type { NamedSet } from './native-table.ts';
import { addressType, linkType, markType, portType, someValues, type ValueType } from './native-values.ts';
import type { Words } from './words.ts';

export interface NativeSpot {
  /** The family that the rule is about; in an inet table it may be either. */
  readonly family: Family;
  readonly isInet: boolean;
  readonly hook: string | undefined;
  readonly words: Words;
  readonly sets: readonly NamedSet[];
  readonly strange: boolean;
}

export interface NativeMatched {
  readonly text: string;
  readonly protocol: string | undefined;
}

export function nativeMatches(spot: NativeSpot): NativeMatched {
  const { random } = spot.words;
  const protocol = random.chance(0.55) ? protocolMatch(spot) : { text: '', protocol: undefined };
  const others = Array.from({ length: random.pick([0, 0, 1, 1, 1, 2]) }, () => other(spot));
  return {
    text: [...others, protocol.text].filter((text) => text !== '').join(' '),
    protocol: protocol.protocol,
  };
}

/** `SELECTOR VALUE`, `!= VALUE` or one of several. */
function compare(value: ValueType, words: Words): string {
  const { random } = words;
  return random.weighted([
    [4, () => `${value.selector} ${value.one()}`],
    [value.several ? 3 : 0, () => `${value.selector} ${value.several?.()}`],
    [2, () => `${value.selector} != ${value.several && random.chance(0.5) ? value.several() : value.one()}`],
    [3, () => `${value.selector} ${random.pick(['', '', '!= '])}{ ${someValues(value, words).join(', ')} }`],
  ]);
}

function protocolMatch(spot: NativeSpot): NativeMatched {
  const { words, family } = spot;
  const { random } = words;
  const protocol = random.pick(['tcp', 'tcp', 'udp', 'udp', 'sctp']);
  const port = () =>
    compare(portType(spot, protocol, random.pick(['dport', 'dport', 'dport', 'sport'])), words);
  const icmp = family === 'ipv4' ? 'icmp' : 'icmpv6';
  const types =
    family === 'ipv4'
      ? ['echo-request', 'echo-reply', 'destination-unreachable', 'time-exceeded']
      : ['echo-request', 'echo-reply', 'destination-unreachable', 'nd-neighbor-solicit', 'time-exceeded'];
  return random.weighted<NativeMatched>([
    [10, () => ({ text: port(), protocol })],
    [
      3,
      () => ({
        text: `meta l4proto { tcp, udp } ${compare(portType(spot, 'th', 'dport'), words)}`,
        protocol: undefined,
      }),
    ],
    [3, () => ({ text: tcpFlags(spot), protocol: 'tcp' })],
    [
      2,
      () => ({ text: `${icmp} type ${random.pick(['', '!= '])}${random.pick(types)}`, protocol: undefined }),
    ],
    [1, () => ({ text: `${icmp} type { ${random.some(types, 2).join(', ')} }`, protocol: undefined })],
    [1, () => ({ text: `${icmp} code ${random.pick(['0', '1', '!= 0'])}`, protocol: undefined })],
    [
      2,
      () => ({
        text: `meta l4proto ${random.pick(['', '!= '])}${random.pick(['tcp', 'udp', icmp === 'icmp' ? 'icmp' : 'ipv6-icmp', 'esp', '47'])}`,
        protocol: undefined,
      }),
    ],
    [2, () => ({ text: `meta l4proto ${protocol}`, protocol })],
    [
      1,
      () => ({
        text:
          family === 'ipv4'
            ? `ip protocol ${random.pick(['', '!= '])}${random.pick(['tcp', 'udp', 'icmp', 'esp'])}`
            : `ip6 nexthdr ${random.pick(['', '!= '])}${random.pick(['tcp', 'udp', 'ipv6-icmp'])}`,
        protocol: undefined,
      }),
    ],
    [
      1,
      () => ({ text: `esp spi ${random.pick(['1', '0-255', '!= 256', '0x12345678'])}`, protocol: undefined }),
    ],
  ]);
}

function tcpFlags({ words: { random } }: NativeSpot): string {
  const all = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg'];
  const mask = random.some(all, 1 + random.below(5));
  const wanted = random.some(mask, 1 + random.below(mask.length));
  return random.pick([
    'tcp flags syn',
    'tcp flags & (fin | syn | rst | ack) == syn',
    'tcp flags & (syn | rst) != 0x0',
    `tcp flags & (${mask.join(' | ')}) == ${wanted.length === 1 ? wanted[0] : `(${wanted.join(' | ')})`}`,
    `tcp flags ! ${mask.join(',')}`,
    `tcp flags ${wanted.join(',')} / ${mask.join(',')}`,
    `tcp flags != ${mask[0]}`,
  ]);
}

function other(spot: NativeSpot): string {
  const { words, hook, sets, family, strange } = spot;
  const { random } = words;
  const isIn = hook === 'prerouting' || hook === 'input' || hook === 'forward';
  const isOut = hook === 'output' || hook === 'postrouting';
  return random.weighted([
    [8, () => compare(addressType(spot, random.pick(['saddr', 'daddr'])), words)],
    [
      4,
      () =>
        compare(
          linkType(
            spot,
            isOut ? 'oifname' : isIn && hook !== 'forward' ? 'iifname' : random.pick(['iifname', 'oifname']),
          ),
          words,
        ).replace(/\{[^}]*\*[^}]*\}/, '"eth0"'),
    ],
    [
      1,
      () =>
        `${isOut ? 'oif' : 'iif'} ${random.pick(['', '!= '])}${random.pick(['"eth0"', '"cni0"', '"lo"'])}`,
    ],
    [
      8,
      () =>
        `ct state ${random.pick(['new', 'established,related', 'established', 'invalid', '!= new', '{ new, untracked }', '!= invalid', 'related', 'untracked', '{ established, related }', '!= established,related'])}`,
    ],
    [
      2,
      () => `ct status ${random.pick(['dnat', 'snat', '!= dnat', 'seen-reply', 'dnat,snat', 'confirmed'])}`,
    ],
    [1, () => `ct direction ${random.pick(['original', 'reply'])}`],
    [4, () => compare(markType(spot, random.pick(['meta mark', 'meta mark', 'ct mark'])), words)],
    [
      2,
      () =>
        `${random.pick(['meta mark', 'ct mark'])} and ${random.pick(['0x4000', '0xff', '0x1'])} ${random.pick(['', '!= '])}${random.pick(['0x0', '0x1', '0x4000'])}`,
    ],
    [
      4,
      () =>
        `fib ${random.pick(['daddr', 'daddr', 'saddr'])} type ${random.pick(['', '!= '])}${random.pick(['local', 'local', 'unicast', 'broadcast', 'multicast', '{ local, multicast }'])}`.replace(
          '!= {',
          '{',
        ),
    ],
    [
      hook === 'prerouting' || hook === 'input' ? 2 : 0,
      () =>
        random.pick([
          'fib saddr . iif oif missing',
          'fib saddr . iif oif exists',
          'fib daddr . iif type local',
          'fib saddr oif "eth0"',
          'fib daddr oifname "cni0"',
          'fib saddr . mark . iif oif 0',
        ]),
    ],
    [
      isOut ? 3 : 0,
      () =>
        random.pick([
          'meta skuid 1000',
          'meta skuid != 0',
          'meta skgid 65534',
          'meta skuid { 0, 1000 }',
          'meta skuid 1-2000',
        ]),
    ],
    [2, () => `meta pkttype ${random.pick(['', '!= '])}${random.pick(['host', 'broadcast', 'multicast'])}`],
    [spot.isInet ? 1 : 0, () => `meta nfproto ${random.pick(['ipv4', 'ipv6'])}`],
    [sets.length > 0 ? 8 : 0, () => inSet(spot)],
    [
      1.5,
      () =>
        random.pick([
          'limit rate 3/minute',
          'limit rate over 3/minute',
          'numgen random mod 2 0',
          'numgen inc mod 3 != 1',
          'numgen random mod 10 < 5',
          'limit rate 2/minute burst 1 packets',
        ]),
    ],
    [
      1,
      () =>
        `${family === 'ipv4' ? 'ip' : 'ip6'} saddr ${words.address(family)} ${family === 'ipv4' ? 'ip' : 'ip6'} daddr ${words.network(family)}`,
    ],
    [isIn && strange ? 2 : 0, () => 'ether saddr 0a:58:0a:2a:00:04'],
    [
      strange ? 6 : 0,
      () =>
        random.pick([
          'meta length < 60',
          'meta length > 60',
          'meta cpu 0',
          'ip dscp cs1',
          'ip ttl > 32',
          'ip6 hoplimit > 32',
          'ct bytes > 10',
          'meta hour < "12:00"',
          'ct count 3',
          '@th,0,16 53',
          'rt classid 1',
          'meta random < 100000',
          'ct expiration > 1s',
          'socket transparent 1',
          'ct helper "ftp"',
          'quota over 100 bytes',
        ]),
    ],
    [
      1,
      () =>
        `${random.pick(['ct original', 'ct reply'])} ${family === 'ipv4' ? 'ip' : 'ip6'} ${random.pick(['saddr', 'daddr'])} ${words.network(family)}`,
    ],
  ]);
}

function inSet({ sets, words: { random } }: NativeSpot): string {
  const { name, selector } = random.pick(sets);
  const prefix =
    selector.includes('th dport') && !selector.includes('l4proto') ? 'meta l4proto { tcp, udp } ' : '';
  return `${prefix}${selector} ${random.pick(['', '', '!= '])}@${name}`;
}
