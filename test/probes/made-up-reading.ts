import type { Backend, Family } from '../../src/netfilter/ruleset.ts';
import type {
  DumpReadingState,
  FirewallReading,
  Link,
  NetworkReading,
} from '../../src/netfilter/walk/reading.ts';
import { rulesetOf } from '../netfilter/recorded-dumps.ts';

type Dumps = Partial<Record<`${Backend} ${Family}`, string | { readonly unreadable: string }>>;

/** A node at 192.168.60.1 and fd00:60::1 with these dumps and nothing native. */
export function readingWith(dumps: Dumps, more: Partial<FirewallReading> = {}): FirewallReading {
  const dump = (backend: Backend, family: Family): DumpReadingState => {
    const given = dumps[`${backend} ${family}`];
    if (given === undefined) return { kind: 'absent' };
    if (typeof given !== 'string') return { kind: 'unknown', reason: given.unreadable };
    return { kind: 'present', ruleset: rulesetOf(given) };
  };
  const both = (backend: Backend) => ({ ipv4: dump(backend, 'ipv4'), ipv6: dump(backend, 'ipv6') });
  return {
    iptables: { legacy: both('legacy'), nft: both('nft') },
    nft: { kind: 'absent' },
    sets: { kind: 'absent' },
    network,
    natFirst: { ipv4: undefined, ipv6: undefined },
    ...more,
  };
}

export function filter(...lines: readonly string[]): string {
  const policies = lines.filter((line) => line.startsWith(':'));
  const builtIn = ['INPUT', 'FORWARD', 'OUTPUT']
    .filter((chain) => !policies.some((line) => line.startsWith(`:${chain} `)))
    .map((chain) => `:${chain} ACCEPT [0:0]`);
  return [
    '*filter',
    ...builtIn,
    ...policies,
    ...lines.filter((line) => !line.startsWith(':')),
    'COMMIT',
    '',
  ].join('\n');
}

export const network: NetworkReading = {
  links: [
    link(1, 'lo', ['127.0.0.1/8', '::1/128']),
    link(2, 'eth0', ['192.168.60.1/24', 'fd00:60::1/64']),
    link(3, 'cni0', ['10.42.0.1/24']),
  ],
  routes: [
    route('0.0.0.0/0', 'eth0', '192.168.60.254'),
    route('192.168.60.0/24', 'eth0'),
    route('10.42.0.0/24', 'cni0'),
    route('::/0', 'eth0', 'fd00:60::fe'),
    route('fd00:60::/64', 'eth0'),
    { ...route('192.168.60.1/32', 'eth0'), table: 'local', type: 'local' },
    { ...route('127.0.0.0/8', 'lo'), table: 'local', type: 'local' },
    { ...route('10.42.0.1/32', 'cni0'), table: 'local', type: 'local' },
    { ...route('fd00:60::1/128', 'eth0'), table: 'local', type: 'local' },
  ],
  policyRouting: false,
  forwarding: { ipv4: true, ipv6: true },
};

function link(index: number, name: string, addresses: readonly string[]): Link {
  return {
    index,
    name,
    kind: undefined,
    up: true,
    loopback: name === 'lo',
    mtu: 1500,
    mac: undefined,
    master: undefined,
    addresses: addresses.map((text) => {
      const [address = '', length] = text.split('/');
      const family = address.includes(':') ? 'ipv6' : 'ipv4';
      const scope = name === 'lo' ? 'host' : 'global';
      return { family, address, prefixLength: Number(length), broadcast: undefined, scope };
    }),
  };
}

function route(destination: string, over: string, gateway?: string) {
  return {
    family: destination.includes(':') ? ('ipv6' as const) : ('ipv4' as const),
    table: 'main',
    type: 'unicast',
    destination,
    link: over,
    gateway,
    preferredSource: undefined,
    metric: 0,
  };
}
