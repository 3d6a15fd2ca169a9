/** A table as somebody writes it for `nft -f`, or as kube-proxy, firewalld and others make it. */
import type { Family } from '../../../../src/netfilter/ruleset.ts';
import { translated } from './iptables-dump.ts';
import { type NativeSpot, nativeMatches } from './native-matches.ts';
import {
  addressType,
  disjoint,
  linkType,
  portType,
  protocolType,
  someValues,
  stateType,
  type ValueType,
} from './native-values.ts';
import type { Words } from './words.ts';

type TableFamily = 'inet' | 'ip' | 'ip6';
type Kind = 'filter' | 'destination nat' | 'source nat';

interface Chain {
  readonly name: string;
  readonly kind: Kind;
  /** Hooks that it is asked from; undefined: not known, nothing that needs one. */
  readonly hook: string | undefined;
  readonly priority: number;
}

interface Table {
  readonly family: TableFamily;
  readonly words: Words;
  readonly strange: boolean;
  readonly sets: readonly NamedSet[];
}

export interface NamedSet {
  readonly name: string;
  readonly family: Family;
  readonly selector: string;
}

export function randomTable(words: Words, index: number, strange: boolean): string[] {
  const { random } = words;
  const family = random.weighted<TableFamily>([
    [5, () => 'inet'],
    [3, () => 'ip'],
    [2, () => 'ip6'],
  ]);
  const sets: (NamedSet & { readonly lines: readonly string[] })[] = [];
  for (const each of family === 'inet'
    ? (['ipv4', 'ipv6'] as const)
    : ([family === 'ip' ? 'ipv4' : 'ipv6'] as const)) {
    for (let count = random.below(4); count > 0; count--) sets.push(namedSet(words, each, `s${sets.length}`));
  }
  const table = { family, words, strange, sets };
  const made: Chain[] = Array.from({ length: random.below(5) }, (_, at) => ({
    name: `c${at}`,
    kind: random.pick<Kind>(['filter', 'filter', 'filter', 'destination nat', 'source nat']),
    hook: undefined,
    priority: 0,
  }));
  const bases = random.some(baseChains, 1 + random.below(5)).map((base, at) => ({
    ...base,
    name: `b${at}`,
    priority: random.pick(base.priorities),
  }));
  return [
    `table ${family} t${index} {`,
    ...sets.flatMap(({ lines }) => lines),
    ...made.flatMap((chain, at) => [
      `chain ${chain.name} {`,
      ...chainRules(table, chain, made.slice(at + 1)),
      '}',
    ]),
    ...bases.flatMap((base) => [
      `chain ${base.name} {`,
      `type ${base.type} hook ${base.hook} priority ${base.priority}; policy ${policyOf(base, words)};`,
      ...chainRules(table, base, made),
      '}',
    ]),
    '}',
  ];
}

const baseChains = [
  { type: 'filter', kind: 'filter', hook: 'prerouting', priorities: [-300, -300, -150, -110, -90, 0] },
  { type: 'filter', kind: 'filter', hook: 'input', priorities: [-150, 0, 0, 10, 110] },
  { type: 'filter', kind: 'filter', hook: 'forward', priorities: [-150, 0, 0, 10] },
  { type: 'filter', kind: 'filter', hook: 'output', priorities: [-300, -150, 0, 0, -90] },
  { type: 'filter', kind: 'filter', hook: 'postrouting', priorities: [-150, 0, 90, 110] },
  { type: 'route', kind: 'filter', hook: 'output', priorities: [-150] },
  { type: 'nat', kind: 'destination nat', hook: 'prerouting', priorities: [-100, -100, -110, -90, 0] },
  { type: 'nat', kind: 'destination nat', hook: 'output', priorities: [-100, -90] },
  { type: 'nat', kind: 'source nat', hook: 'postrouting', priorities: [100, 100, 110, 90] },
  { type: 'nat', kind: 'source nat', hook: 'input', priorities: [100] },
] as const;

function policyOf({ type, hook }: (typeof baseChains)[number], { random }: Words): string {
  if (type === 'nat' || hook === 'prerouting' || hook === 'postrouting') return 'accept';
  return random.chance(0.2) ? 'drop' : 'accept';
}

function chainRules(table: Table, chain: Chain, later: readonly Chain[]): string[] {
  const { random } = table.words;
  const jumps = later.filter(({ kind }) => kind === chain.kind || kind === 'filter');
  return Array.from({ length: random.below(6) }, () => randomRule(table, chain, jumps));
}

function randomRule(table: Table, chain: Chain, jumps: readonly Chain[]): string {
  const { words } = table;
  const { random } = words;
  const family: Family =
    table.family === 'inet'
      ? random.pick(['ipv4', 'ipv6'] as const)
      : table.family === 'ip'
        ? 'ipv4'
        : 'ipv6';
  const spot: NativeSpot = {
    ...table,
    isInet: table.family === 'inet',
    family,
    hook: chain.hook,
    sets: table.sets.filter((set) => set.family === family),
  };
  if (random.chance(0.12)) return verdictMap(spot, chain, jumps);
  const { text, protocol } = nativeMatches(spot);
  const seen = random.pick(['', '', '', 'counter ', 'log prefix "n " ']);
  return `${text} ${seen}${statement(spot, chain, { protocol, jumps })}`.trim();
}

interface Rest {
  readonly protocol: string | undefined;
  readonly jumps: readonly Chain[];
}

function statement(spot: NativeSpot, chain: Chain, { protocol, jumps }: Rest): string {
  const { words } = spot;
  const { random } = words;
  const { kind, hook } = chain;
  const mayReject = kind === 'filter' && hook !== undefined && hook !== 'postrouting';
  const isEarly = chain.priority < -200 && (hook === 'prerouting' || hook === 'output');
  return random.weighted([
    [kind === 'filter' ? 32 : 6, () => 'accept'],
    [kind === 'filter' && hook !== 'prerouting' ? 8 : 1, () => 'drop'],
    [mayReject && hook !== 'prerouting' ? 8 : 0, () => reject(spot, protocol)],
    [jumps.length > 0 ? 24 : 0, () => `${random.pick(['jump', 'jump', 'goto'])} ${random.pick(jumps).name}`],
    [4, () => 'return'],
    [2, () => 'continue'],
    [
      5,
      () =>
        `meta mark set ${random.pick(['0x1', '0x4000', 'meta mark or 0x4000', 'meta mark and 0xffff', 'meta mark xor 0x1', 'ct mark'])}`,
    ],
    [2, () => `ct mark set ${random.pick(['0x1', 'meta mark', 'ct mark or 0x4000'])}`],
    [2, () => 'counter'],
    [isEarly ? 4 : 0, () => 'notrack'],
    [kind === 'destination nat' && hook !== undefined ? 40 : 0, () => destinationNat(spot, protocol)],
    [kind === 'source nat' && hook !== undefined ? 30 : 0, () => sourceNat(spot, hook ?? '', protocol)],
  ]);
}

function reject({ family, isInet, words: { random } }: NativeSpot, protocol: string | undefined): string {
  if (protocol === 'tcp' && random.chance(0.4)) return 'reject with tcp reset';
  return random.pick([
    'reject',
    'reject',
    ...(isInet ? ['reject with icmpx type admin-prohibited', 'reject with icmpx type no-route'] : []),
    family === 'ipv4' ? 'reject with icmp type host-unreachable' : 'reject with icmpv6 type addr-unreachable',
  ]);
}

function destinationNat(spot: NativeSpot, protocol: string | undefined): string {
  const { words, family } = spot;
  const { random } = words;
  const mayPort = protocol === 'tcp' || protocol === 'udp';
  const keyword = family === 'ipv4' ? 'ip' : 'ip6';
  const flags = random.pick(['', '', '', ' random', ' persistent']);
  const to = (port: number | undefined) => {
    const address = translated(family, words);
    if (port === undefined) return address;
    return family === 'ipv4' ? `${address}:${port}` : `[${address}]:${port}`;
  };
  if (random.chance(0.2)) return mayPort ? `redirect to :${words.port()}` : 'redirect';
  if (mayPort && random.chance(0.25)) {
    const keys = disjoint(Array.from({ length: 1 + random.below(4) }, () => `${words.port()}`));
    const entries = keys.map((key) => `${key} : ${translated(family, words)} . ${words.port()}`);
    return `dnat ${keyword} addr . port to ${protocol} dport map { ${entries.join(', ')} }`;
  }
  if (random.chance(0.15)) {
    const keys = disjoint(Array.from({ length: 1 + random.below(4) }, () => words.address(family)));
    const entries = keys.map((key) => `${key} : ${translated(family, words)}`);
    return `dnat ${keyword} to ${keyword} daddr map { ${entries.join(', ')} }`;
  }
  if (random.chance(0.1)) {
    return `dnat ${keyword} to numgen ${random.pick(['random', 'inc'])} mod 2 map { 0 : ${translated(family, words)}, 1 : ${translated(family, words)} }`;
  }
  // Only of this family, or it would not be taken.
  const only = `meta nfproto ${family} `;
  return `${spot.isInet ? only : ''}dnat ${spot.isInet ? `${keyword} ` : ''}to ${to(mayPort && random.chance(0.7) ? words.port() : undefined)}${flags}`;
}

function sourceNat(spot: NativeSpot, hook: string, protocol: string | undefined): string {
  const { words, family } = spot;
  const { random } = words;
  const flags = random.pick(['', '', ' random', ' fully-random']);
  const ports = (protocol === 'tcp' || protocol === 'udp') && random.chance(0.2) ? '20000-40000' : '';
  if (hook === 'postrouting' && random.chance(0.6))
    return `masquerade${ports === '' ? '' : ` to :${ports}`}${flags}`;
  const address = translated(family, words);
  const keyword = family === 'ipv4' ? 'ip' : 'ip6';
  const to = ports === '' ? address : family === 'ipv4' ? `${address}:${ports}` : `[${address}]:${ports}`;
  return `${spot.isInet ? `meta nfproto ${family} ` : ''}snat ${spot.isInet ? `${keyword} ` : ''}to ${to}${flags}`;
}

function verdictMap(spot: NativeSpot, chain: Chain, jumps: readonly Chain[]): string {
  const { words, family } = spot;
  const { random } = words;
  const verdict = () =>
    random.weighted([
      [4, () => 'accept'],
      [chain.kind === 'filter' ? 1 : 0, () => 'drop'],
      [1, () => 'return'],
      [1, () => 'continue'],
      [jumps.length > 0 ? 4 : 0, () => `${random.pick(['jump', 'goto'])} ${random.pick(jumps).name}`],
    ]);
  const options = { words, family };
  const keys = random.weighted<readonly [string, readonly string[]]>([
    [3, () => keysOf(portType(options, random.pick(['tcp', 'udp', 'th']), 'dport'))],
    [2, () => keysOf(addressType(options, random.pick(['saddr', 'daddr'])))],
    [2, () => keysOf(stateType(options))],
    [2, () => keysOf(protocolType(options))],
    [
      chain.hook !== 'output' && chain.hook !== 'postrouting' ? 2 : 0,
      () =>
        keysOf({
          ...linkType(options, 'iifname'),
          one: () => random.pick(['"eth0"', '"cni0"', '"lo"', '"eth1"']),
        }),
    ],
    [3, () => concatenated(options)],
    [
      2,
      () =>
        [
          `numgen ${random.pick(['random', 'inc'])} mod 3`,
          random.some(['0', '1', '2'], 1 + random.below(3)),
        ] as const,
    ],
  ]);
  const [selector, values] = keys;
  const prefix = selector.startsWith('th ') ? 'meta l4proto { tcp, udp } ' : '';
  return `${prefix}${selector} vmap { ${values.map((value) => `${value} : ${verdict()}`).join(', ')} }`;

  function keysOf(type: ValueType): readonly [string, readonly string[]] {
    return [type.selector, someValues(type, words)];
  }
}

/** As kube-proxy asks for Services. */
function concatenated({
  words,
  family,
}: {
  words: Words;
  family: Family;
}): readonly [string, readonly string[]] {
  const address = addressType({ words, family }, 'daddr');
  const protocol = words.random.pick(['tcp', 'udp']);
  const values = Array.from(
    { length: 1 + words.random.below(5) },
    () => `${address.one()} . ${protocol} . ${words.port()}`,
  );
  return [`${address.selector} . meta l4proto . th dport`, [...new Set(values)]];
}

function namedSet(
  words: Words,
  family: Family,
  name: string,
): NamedSet & { readonly lines: readonly string[] } {
  const { random } = words;
  const options = { words, family };
  const address = addressType(options, random.pick(['saddr', 'daddr']));
  const port = portType(options, random.pick(['tcp', 'udp', 'th']), 'dport');
  const types = random.pick<readonly ValueType[]>([
    [address],
    [address],
    [port],
    [linkType(options, random.pick(['iifname', 'oifname']))],
    [address, protocolType(options), { ...port, selector: 'th dport' }],
    [address, port],
    [addressType(options, 'saddr'), addressType(options, 'daddr')],
  ]);
  const isInterval = random.chance(0.5) && types.every(({ several }) => several !== undefined);
  const element = () =>
    types
      .map((type) => (isInterval && type.several && random.chance(0.5) ? type.several() : type.one()))
      .join(' . ');
  const elements = [...new Set(Array.from({ length: random.below(6) }, element))];
  const shown =
    types.length > 1 && isInterval ? elements.slice(0, 1) : isInterval ? disjoint(elements) : elements;
  const plain = shown.filter((each) => !each.includes('*'));
  return {
    name,
    family,
    selector: types.map(({ selector }) => selector).join(' . '),
    lines: [
      `set ${name} {`,
      `type ${types.map(({ type }) => type).join(' . ')};`,
      ...(isInterval ? ['flags interval;'] : []),
      ...(plain.length > 0 ? [`elements = { ${plain.join(', ')} }`] : []),
      '}',
    ],
  };
}
