import type { Family } from '../../../../src/netfilter/ruleset.ts';
import type { Words } from './words.ts';

export interface RandomSets {
  /** For `ipset restore`. */
  readonly lines: readonly string[];
  readonly names: Readonly<Record<Family, readonly (readonly [name: string, directions: number])[]>>;
}

/** Sets of ipset(8), some of each kind. */
export function randomSets(words: Words): RandomSets {
  const { random } = words;
  const lines: string[] = [];
  const names: Record<Family, (readonly [string, number])[]> = { ipv4: [], ipv6: [] };
  for (const family of ['ipv4', 'ipv6'] as const) {
    for (const kind of random.some(kinds(family, words), 2 + random.below(4))) {
      const name = `${family}-${kind.type.replaceAll(':', '-').replaceAll(',', '-')}`;
      lines.push(`create ${name} ${kind.type}${kind.options}`);
      lines.push(...Array.from({ length: random.below(7) }, () => `add ${name} ${kind.element()} -exist`));
      names[family].push([name, kind.directions]);
    }
    const inner = random.some(
      names[family].filter(([, directions]) => directions === 1),
      2,
    );
    if (inner.length > 0 && random.chance(0.3)) {
      lines.push(`create ${family}-list list:set`, ...inner.map(([name]) => `add ${family}-list ${name}`));
      names[family].push([`${family}-list`, 1]);
    }
  }
  return { lines, names };
}

interface Kind {
  readonly type: string;
  readonly options: string;
  readonly directions: number;
  readonly element: () => string;
}

function kinds(family: Family, words: Words): Kind[] {
  const { random } = words;
  const inet = ` family ${family === 'ipv4' ? 'inet' : 'inet6'}`;
  const address = () => words.address(family);
  // A network of length 0 is refused.
  const network = () => words.network(family).replace(/\/0$/, '/8');
  const port = () =>
    random.weighted([
      [5, () => `tcp:${words.port()}`],
      [5, () => `udp:${words.port()}`],
      [1, () => `sctp:${words.port()}`],
      [1, () => `tcp:${words.portRange('-')}`.replace(/-(\d+)$/, (_, high) => `-${high}`)],
      [1, () => (family === 'ipv4' ? 'icmp:echo-request' : 'icmpv6:128/0')],
      [1, () => 'esp:0'],
    ]);
  const narrowPort = () => {
    const one = port();
    // A wide range becomes thousands of elements.
    return one.includes('-') && !one.startsWith('icmp') ? `tcp:${words.port()}` : one;
  };
  const nomatch = () => (random.chance(0.2) ? ' nomatch' : '');
  const timeout = random.chance(0.15) ? ' timeout 600' : '';
  return [
    { type: 'hash:ip', options: `${inet}${timeout}`, directions: 1, element: address },
    {
      type: 'hash:net',
      options: `${inet}${timeout}`,
      directions: 1,
      element: () => `${network()}${nomatch()}`,
    },
    { type: 'hash:ip,port', options: inet, directions: 2, element: () => `${address()},${narrowPort()}` },
    {
      type: 'hash:net,port',
      options: inet,
      directions: 2,
      element: () => `${network()},${narrowPort()}${nomatch()}`,
    },
    {
      type: 'hash:ip,port,ip',
      options: inet,
      directions: 3,
      element: () => `${address()},${narrowPort()},${address()}`,
    },
    {
      type: 'hash:ip,port,net',
      options: inet,
      directions: 3,
      element: () => `${address()},${narrowPort()},${network()}${nomatch()}`,
    },
    {
      type: 'hash:net,iface',
      options: inet,
      directions: 2,
      element: () => `${network()},${random.pick(['eth0', 'cni0', 'eth1', 'flannel.1'])}${nomatch()}`,
    },
    { type: 'bitmap:port', options: ' range 0-65535', directions: 1, element: () => `${words.port()}` },
    ...(family === 'ipv4'
      ? [
          {
            type: 'bitmap:ip',
            options: ' range 10.42.0.0/16',
            directions: 1,
            element: () => `10.42.${random.below(2)}.${random.below(62)}`,
          },
          {
            type: 'hash:ip',
            options: `${inet} netmask 24`,
            directions: 1,
            element: address,
          },
        ]
      : []),
  ].filter((kind, index, all) => all.findIndex(({ type }) => type === kind.type) === index);
}
