import type { Family } from '../../../../src/netfilter/ruleset.ts';
import { builtIn } from '../load-rules.ts';
import { hostAddress, hostNumbers, nodeAddresses, prefixes } from '../world.ts';
import { randomMatches, type Spot } from './iptables-matches.ts';
import type { Words } from './words.ts';

export interface DumpOptions {
  readonly family: Family;
  readonly words: Words;
  readonly sets: Spot['sets'];
  readonly strange: boolean;
}

/** A whole dump for `iptables-restore`, some tables of it. */
export function randomDump(options: DumpOptions): string[] {
  const { random } = options.words;
  const chances: readonly (readonly [string, number])[] = [
    ['raw', 0.3],
    ['mangle', 0.4],
    ['nat', 0.6],
    ['filter', 0.9],
    ['security', 0.1],
  ];
  return chances.flatMap(([table, chance]) => (random.chance(chance) ? randomTable(options, table) : []));
}

type Side = Spot['side'];

const sideOf: Readonly<Record<string, Side>> = {
  PREROUTING: 'in',
  INPUT: 'in',
  FORWARD: 'in',
  OUTPUT: 'out',
  POSTROUTING: 'out',
};

/** Those that nat's rules are of: before or after the packet's way is chosen. */
const natSides: Readonly<Record<string, Side>> = { ...sideOf, OUTPUT: 'in', INPUT: 'out' };

interface Made {
  readonly name: string;
  readonly side: Side;
}

function randomTable(options: DumpOptions, table: string): string[] {
  const { random } = options.words;
  const sides = table === 'nat' ? natSides : sideOf;
  const made: Made[] = Array.from({ length: random.below(5) }, (_, index) => ({
    name: `c${index + 1}`,
    side:
      table === 'nat'
        ? random.pick(['in', 'out'] as const)
        : random.pick(['in', 'out', 'any', 'any'] as const),
  }));
  const hooks = builtIn[table] ?? [];
  const policy = () =>
    table === 'nat' || random.chance(table === 'filter' ? 0.7 : 0.97) ? 'ACCEPT' : 'DROP';
  const lines = [
    `*${table}`,
    ...hooks.map((hook) => `:${hook} ${policy()} [0:0]`),
    ...made.map(({ name }) => `:${name} - [0:0]`),
  ];
  for (const hook of hooks) {
    const side = sides[hook] ?? 'in';
    const at = {
      options,
      table,
      hook,
      side,
      jumps: made.filter((chain) => chain.side === 'any' || chain.side === side),
    };
    lines.push(...randomChain(at, hook, random.below(6)));
  }
  for (const [index, { name, side }] of made.entries()) {
    // Only to later ones: the kernel refuses loops.
    const jumps = made.slice(index + 1).filter((chain) => chain.side === 'any' || chain.side === side);
    lines.push(...randomChain({ options, table, hook: undefined, side, jumps }, name, random.below(6)));
  }
  return [...lines, 'COMMIT'];
}

interface At {
  readonly options: DumpOptions;
  readonly table: string;
  readonly hook: string | undefined;
  readonly side: Side;
  readonly jumps: readonly Made[];
}

function randomChain(at: At, name: string, count: number): string[] {
  return Array.from({ length: count }, () => randomRule(at, name));
}

function randomRule(at: At, name: string): string {
  const { options, table, hook, side } = at;
  // In nat the sides are others: no hook's peculiarities there.
  const spot: Spot = {
    ...options,
    table,
    hook: table === 'nat' && hook === undefined ? undefined : hook,
    side: table === 'nat' ? (hook === 'PREROUTING' ? 'in' : hook === 'POSTROUTING' ? 'out' : 'any') : side,
  };
  for (;;) {
    const { text, protocol } = randomMatches(spot);
    const target = randomTarget(at, protocol);
    if (target === undefined) continue;
    return ['-A', name, text, target].filter((part) => part !== '').join(' ');
  }
}

/** Undefined where the drawn one needs another match. */
function randomTarget(at: At, protocol: string | undefined): string | undefined {
  const { table, hook, side, jumps, options } = at;
  const { random } = options.words;
  const jump = () => `${random.pick(['-j', '-j', '-j', '-g'])} ${random.pick(jumps).name}`;
  const common: readonly (readonly [number, () => string | undefined])[] = [
    [jumps.length > 0 ? 25 : 0, jump],
    [5, () => '-j RETURN'],
    [3, () => '-j LOG --log-prefix "x y "'],
    [2, () => ''],
    [
      5,
      () =>
        `-j MARK ${random.pick(['--set-xmark 0x4000/0x4000', '--set-xmark 0x1/0xffffffff', '--set-xmark 0x20000/0x0', '--and-mark 0xffffbfff', '--or-mark 0x1', '--xor-mark 0x4000'])}`,
    ],
  ];
  switch (table) {
    case 'nat':
      return random.weighted<string | undefined>([
        ...common,
        [8, () => '-j ACCEPT'],
        [side === 'in' ? 40 : 0, () => destinationTarget(options, protocol)],
        [side === 'out' ? 30 : 0, () => sourceTarget(options, protocol, hook)],
      ]);
    case 'filter':
      return random.weighted<string | undefined>([
        ...common,
        [34, () => '-j ACCEPT'],
        [12, () => '-j DROP'],
        [12, () => rejectTarget(options, protocol)],
      ]);
    case 'raw':
      return random.weighted<string | undefined>([
        ...common,
        [20, () => '-j ACCEPT'],
        [2, () => '-j DROP'],
        [5, () => random.pick(['-j CT --notrack', '-j NOTRACK'])],
      ]);
    default:
      return random.weighted<string | undefined>([
        ...common,
        [25, () => '-j ACCEPT'],
        [3, () => '-j DROP'],
        [
          table === 'mangle' ? 8 : 0,
          () =>
            random.pick([
              '-j CONNMARK --save-mark',
              '-j CONNMARK --restore-mark',
              '-j CONNMARK --set-xmark 0x1/0x1',
              '-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff',
              '-j CONNMARK --restore-mark --nfmask 0xf000 --ctmask 0xf000',
            ]),
        ],
        [table === 'mangle' && protocol === 'tcp' && hook === 'FORWARD' ? 0 : 0, () => ''],
      ]);
  }
}

function rejectTarget({ family, words: { random } }: DumpOptions, protocol: string | undefined): string {
  if (protocol === 'tcp' && random.chance(0.4)) return '-j REJECT --reject-with tcp-reset';
  const kinds4 = [
    'icmp-port-unreachable',
    'icmp-host-unreachable',
    'icmp-net-unreachable',
    'icmp-admin-prohibited',
    'icmp-proto-unreachable',
  ];
  const kinds6 = [
    'icmp6-port-unreachable',
    'icmp6-adm-prohibited',
    'icmp6-no-route',
    'icmp6-addr-unreachable',
  ];
  return random.pick([
    '-j REJECT',
    `-j REJECT --reject-with ${random.pick(family === 'ipv4' ? kinds4 : kinds6)}`,
  ]);
}

const withPorts = ['tcp', 'udp', 'sctp'];

function destinationTarget({ family, words }: DumpOptions, protocol: string | undefined): string {
  const { random } = words;
  const mayPort = protocol !== undefined && withPorts.includes(protocol);
  if (random.chance(0.2)) {
    const port =
      mayPort && protocol !== 'sctp'
        ? random.pick([
            ` --to-ports ${words.port()}`,
            ` --to-ports ${words.port()}`,
            ' --to-ports 8000-8100',
            '',
          ])
        : '';
    return `-j REDIRECT${port}`;
  }
  const address = translated(family, words);
  const toAddress =
    random.chance(0.08) && family === 'ipv4'
      ? `${prefixes.ipv4.eth1}4-${prefixes.ipv4.eth1}20`
      : bracket(address, mayPort);
  const port = mayPort
    ? random.pick(['', `:${words.port()}`, `:${words.port()}`, `:${words.port()}`, ':8000-8100'])
    : '';
  const plainAddress = port === '' ? toAddress.replace(/[[\]]/g, '') : toAddress;
  return `-j DNAT --to-destination ${plainAddress}${port}${random.pick(['', '', '', ' --random', ' --persistent'])}`;
}

/** Somewhere that a packet can be sent to, the node itself now and then. */
export function translated(family: Family, { random }: Words): string {
  if (random.chance(0.15)) return random.pick(Object.values(nodeAddresses[family]));
  return hostAddress(random.pick(Object.values(prefixes[family])), random.pick(hostNumbers));
}

function bracket(address: string, mayPort: boolean): string {
  return mayPort && address.includes(':') ? `[${address}]` : address;
}

function sourceTarget(
  { family, words }: DumpOptions,
  protocol: string | undefined,
  hook: string | undefined,
): string | undefined {
  const { random } = words;
  const mayPort = protocol === 'tcp' || protocol === 'udp';
  const random1 = random.pick(['', '', ' --random', ' --random-fully']);
  // A chain that somebody made may be asked from INPUT, where there is no masquerade.
  if (hook === 'POSTROUTING' && random.chance(0.6)) {
    const ports = mayPort && random.chance(0.2) ? ' --to-ports 20000-40000' : '';
    return `-j MASQUERADE${ports}${random1}`;
  }
  if (hook === undefined && random.chance(0.5)) return undefined;
  const own = random.chance(0.7)
    ? random.pick(Object.values(nodeAddresses[family]))
    : hostAddress(prefixes[family].eth0, 99);
  const ports = mayPort && random.chance(0.2) ? ':20000-40000' : '';
  return `-j SNAT --to-source ${ports === '' ? own : bracket(own, true)}${ports}${random1}`;
}
