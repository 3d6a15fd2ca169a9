import type { Family } from '../../../../src/netfilter/ruleset.ts';
import type { Words } from './words.ts';

/** Where a rule may be asked from: what the kernel allows there. */
export interface Spot {
  readonly family: Family;
  readonly table: string;
  /** A built-in chain; undefined in a chain that somebody made. */
  readonly hook: string | undefined;
  readonly side: 'in' | 'out' | 'any';
  readonly words: Words;
  /** Names of sets, with how many directions each asks for. */
  readonly sets: readonly (readonly [name: string, directions: number])[];
  /** Whether matches that no walk can evaluate may be drawn. */
  readonly strange: boolean;
}

export interface Matched {
  readonly text: string;
  readonly protocol: string | undefined;
}

export function randomMatches(spot: Spot): Matched {
  const { random } = spot.words;
  const protocol = random.chance(0.6) ? protocolMatch(spot) : { text: '', protocol: undefined };
  const kinds = random.weighted<string[]>([
    [3, () => []],
    [5, () => [plain(spot)]],
    [3, () => [plain(spot), other(spot)]],
    [4, () => [other(spot)]],
    [1, () => [other(spot), other(spot)]],
  ]);
  const words = [...kinds, protocol.text].filter((text) => text !== '');
  return { text: words.join(' '), protocol: protocol.protocol };
}

function not({ words: { random } }: Spot): string {
  return random.chance(0.2) ? '! ' : '';
}

/** Addresses and links. */
function plain(spot: Spot): string {
  const { words, family, hook } = spot;
  const mayIn = hook === undefined || ['PREROUTING', 'INPUT', 'FORWARD'].includes(hook);
  const mayOut = hook === undefined || ['FORWARD', 'OUTPUT', 'POSTROUTING'].includes(hook);
  const source = () => `${not(spot)}-s ${words.network(family)}`;
  const destination = () => `${not(spot)}-d ${words.network(family)}`;
  return words.random.weighted([
    [3, source],
    [3, destination],
    [1, () => `${source()} ${destination()}`],
    [mayIn ? 3 : 0, () => `${not(spot)}-i ${words.link()}`],
    [mayOut ? 3 : 0, () => `${not(spot)}-o ${words.link()}`],
  ]);
}

function protocolMatch(spot: Spot): Matched {
  const { words, family } = spot;
  const { random } = words;
  const withPorts = random.weighted([
    [10, () => 'tcp'],
    [10, () => 'udp'],
    [1, () => 'sctp'],
    [1, () => 'udplite'],
  ]);
  const icmp = family === 'ipv4' ? 'icmp' : 'ipv6-icmp';
  return random.weighted<Matched>([
    [10, () => ({ text: `-p ${withPorts} ${portMatch(spot, withPorts)}`, protocol: withPorts })],
    [4, () => ({ text: `-p ${withPorts} -m multiport ${multiport(spot)}`, protocol: withPorts })],
    [3, () => ({ text: `-p tcp ${tcpFlags(spot)}`, protocol: 'tcp' })],
    [3, () => ({ text: `-p ${icmp} ${icmpMatch(spot)}`, protocol: icmp })],
    [
      2,
      () => ({
        text: `-p ${random.pick(['tcp', 'udp', icmp, 'esp', '47', '2', 'sctp'])}`,
        protocol: undefined,
      }),
    ],
    [2, () => ({ text: `! -p ${random.pick(['tcp', 'udp', icmp, 'esp', '112'])}`, protocol: undefined })],
    [
      1,
      () => ({
        text: `-p esp -m esp ${not(spot)}--espspi ${random.pick(['1', '0:255', '256:1000', '305419896', '255:4294967295'])}`,
        protocol: 'esp',
      }),
    ],
    [
      family === 'ipv4' ? 1 : 0,
      () => ({
        text: `-p ah -m ah ${not(spot)}--ahspi ${random.pick(['1', '0:255', '256:1000'])}`,
        protocol: 'ah',
      }),
    ],
  ]);
}

function portMatch(spot: Spot, protocol: string): string {
  const { words } = spot;
  // udplite has ports for multiport alone.
  if (protocol === 'udplite') return `-m multiport ${multiport(spot)}`;
  const destination = () => `--dport ${words.random.chance(0.7) ? words.port() : words.portRange(':')}`;
  const source = () => `--sport ${words.sourcePortRange(':')}`;
  return `-m ${protocol} ${words.random.weighted([
    [6, () => `${not(spot)}${destination()}`],
    [1, () => `${not(spot)}${source()}`],
    [1, () => `${not(spot)}${source()} ${not(spot)}${destination()}`],
  ])}`;
}

function multiport(spot: Spot): string {
  const { words } = spot;
  const { random } = words;
  const some = Array.from({ length: 1 + random.below(5) }, () =>
    random.chance(0.75) ? `${words.port()}` : words.portRange(':'),
  );
  const kind = random.pick(['--dports', '--dports', '--sports', '--ports']);
  return `${not(spot)}${kind} ${some.join()}`;
}

function tcpFlags(spot: Spot): string {
  const { random } = spot.words;
  const all = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];
  if (random.chance(0.4)) return `-m tcp ${not(spot)}--syn`;
  const mask = random.some(all, 1 + random.below(6));
  const wanted = random.some(mask, random.below(mask.length + 1));
  return `-m tcp ${not(spot)}--tcp-flags ${mask.join()} ${wanted.join() || 'NONE'}`;
}

function icmpMatch(spot: Spot): string {
  const { random } = spot.words;
  return spot.family === 'ipv4'
    ? `-m icmp ${not(spot)}--icmp-type ${random.pick(['8', '0', '3', '3/1', '3/4', '11', 'echo-request', 'any'])}`
    : `-m icmp6 ${not(spot)}--icmpv6-type ${random.pick(['128', '129', '1', '1/3', '135', '3', 'echo-request'])}`;
}

function other(spot: Spot): string {
  const { words, family, hook, side, table } = spot;
  const { random } = words;
  const negated = not(spot);
  const isIn = side === 'in';
  return random.weighted([
    [12, () => `-m conntrack ${negated}--ctstate ${states(spot)}`],
    [
      2,
      () =>
        `-m state ${negated}--state ${random.some(['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED'], 1 + random.below(3))}`,
    ],
    [6, () => `-m mark ${negated}--mark ${words.mark()}`],
    [3, () => `-m connmark ${negated}--mark ${words.mark()}`],
    [6, () => addressType(spot)],
    [3, () => `-m pkttype ${negated}--pkt-type ${random.pick(['unicast', 'broadcast', 'multicast'])}`],
    [2, () => `-m comment --comment "${random.pick(['a b', '-j DROP', "it's", 'x'])}"`],
    [3, () => range(spot)],
    [spot.sets.length > 0 ? 8 : 0, () => setMatch(spot)],
    [side === 'out' ? 6 : 0, () => owner(spot)],
    [
      isIn && hook !== 'FORWARD' ? 1 : 0,
      () =>
        `-m physdev ${random.pick(['--physdev-is-in', '! --physdev-is-in', '--physdev-in veth-a', '! --physdev-in veth-b', '--physdev-in veth+', '--physdev-is-bridged', '! --physdev-is-bridged'])}`,
    ],
    [
      hook === 'PREROUTING' && (table === 'raw' || table === 'mangle') ? 5 : 0,
      () =>
        `-m rpfilter ${random.some(['--loose', '--invert', '--accept-local'], random.below(3)).join(' ')}`.trim(),
    ],
    [
      spot.strange && isIn ? 1 : 0,
      () =>
        `-m mac ${negated}--mac-source 0A:58:0A:2A:00:${(2 + random.below(60)).toString(16).padStart(2, '0').toUpperCase()}`,
    ],
    [spot.strange ? 8 : 0, () => strange(spot)],
    [1.5, () => byChance(spot)],
    [
      table === 'raw' ? 0 : 1,
      () =>
        `-m conntrack ${negated}--ctstatus ${random.pick(['SEEN_REPLY', 'NONE', 'CONFIRMED', 'ASSURED,SEEN_REPLY', 'EXPECTED'])}`,
    ],
    [
      table === 'raw' ? 0 : 1.5,
      () =>
        `-m conntrack ${random.pick([`${negated}--ctorigdst ${words.network(family)}`, `${negated}--ctorigsrc ${words.network(family)}`, `--ctproto ${random.pick(['tcp', 'udp'])}`, `--ctdir ${random.pick(['ORIGINAL', 'REPLY'])}`, `--ctproto tcp --ctorigdstport ${words.port()}`])}`,
    ],
  ]);
}

function states({ words: { random } }: Spot): string {
  return random.weighted([
    [4, () => 'NEW'],
    [5, () => 'RELATED,ESTABLISHED'],
    [2, () => 'ESTABLISHED'],
    [3, () => 'INVALID'],
    [1, () => 'NEW,UNTRACKED'],
    [1, () => 'INVALID,UNTRACKED'],
    [1, () => 'DNAT'],
    [1, () => 'SNAT,ESTABLISHED'],
    [1, () => 'RELATED'],
  ]);
}

function addressType(spot: Spot): string {
  const { words, hook, side } = spot;
  const { random } = words;
  const types = [
    ...['LOCAL', 'LOCAL', 'UNICAST', 'MULTICAST', 'UNSPEC', 'LOCAL,MULTICAST'],
    // There are none in IPv6.
    ...(spot.family === 'ipv4' ? ['BROADCAST', 'LOCAL,BROADCAST'] : []),
  ];
  const kind = random.pick(['--dst-type', '--dst-type', '--src-type']);
  const limits = [
    ...(side === 'in' && hook !== undefined ? [' --limit-iface-in'] : []),
    ...(side === 'out' && hook !== undefined ? [' --limit-iface-out'] : []),
  ];
  const limit = limits.length > 0 && random.chance(0.2) ? random.pick(limits) : '';
  return `-m addrtype ${not(spot)}${kind} ${random.pick(types)}${limit}`;
}

function range(spot: Spot): string {
  const { words, family } = spot;
  const pair = () => {
    const base = words.address(family);
    const [start, end] = [words.random.below(100), 100 + words.random.below(150)];
    const head =
      family === 'ipv4'
        ? base.slice(0, base.lastIndexOf('.') + 1)
        : `${base.slice(0, base.lastIndexOf(':') + 1)}`;
    return family === 'ipv4'
      ? `${head}${start}-${head}${end}`
      : `${head}${start.toString(16)}-${head}${end.toString(16)}`;
  };
  return `-m iprange ${not(spot)}${words.random.pick(['--src-range', '--dst-range'])} ${pair()}`;
}

function setMatch(spot: Spot): string {
  const { random } = spot.words;
  const [name, directions] = random.pick(spot.sets);
  const flags = Array.from({ length: directions }, () => random.pick(['src', 'dst'])).join();
  return `-m set ${not(spot)}--match-set ${name} ${flags}`;
}

function owner(spot: Spot): string {
  const { random } = spot.words;
  return `-m owner ${not(spot)}${random.pick(['--uid-owner 0', '--uid-owner 1000', '--uid-owner 0-999', '--gid-owner 65534', '--uid-owner 1000-65533', '--socket-exists'])}`;
}

/** Both outcomes are possible. */
function byChance({ words: { random }, family }: Spot): string {
  const list = `--name r${family}`;
  return random.pick([
    '-m statistic --mode random --probability 0.5',
    '-m statistic --mode random ! --probability 0.3',
    `-m statistic --mode nth --every ${2 + random.below(3)} --packet ${random.below(2)}`,
    '-m limit --limit 3/min --limit-burst 2',
    `-m hashlimit --hashlimit-upto 1/min --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name h${random.below(9)}`,
    `-m hashlimit --hashlimit-above 1/min --hashlimit-burst 2 --hashlimit-mode srcip,dstport --hashlimit-name h${10 + random.below(9)}`,
    `-m recent --set ${list}`,
    `-m recent --rcheck --seconds 60 ${list}`,
    `-m recent --update --seconds 60 --hitcount 2 ${list}`,
    `-m recent ! --rcheck ${list} --rdest`,
  ]);
}

function strange({ words: { random }, family }: Spot): string {
  return random.pick([
    '-m length --length 0:60',
    '-m length --length 61:65535',
    '-m time --timestart 00:00 --timestop 12:00',
    '-m cpu --cpu 0',
    '-m string --string nothing --algo bm',
    '-m dscp --dscp 0x2e',
    family === 'ipv4' ? '-m ttl --ttl-gt 32' : '-m hl --hl-gt 32',
    '-m connbytes --connbytes 2: --connbytes-dir both --connbytes-mode packets',
    '-m connlimit --connlimit-above 3',
    '-m u32 --u32 "0x0>>0x1c=0x4"',
    '-m helper --helper ftp',
  ]);
}
