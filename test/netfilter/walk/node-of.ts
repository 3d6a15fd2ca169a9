import type { Family } from '../../../src/netfilter/ruleset.ts';
import { createFirewall } from '../../../src/netfilter/walk/firewall.ts';
import type { Packet } from '../../../src/netfilter/walk/packet.ts';
import type {
  DumpReadingState,
  FirewallReading,
  Link,
  NetworkReading,
  Route,
} from '../../../src/netfilter/walk/reading.ts';
import type { Walk } from '../../../src/netfilter/walk/walk.ts';
import { rulesetOf } from '../recorded-dumps.ts';

const absent: DumpReadingState = { kind: 'absent' };

/** A node whose rules are these dumps; nothing else is known to be there. */
export function readingOf(dumps: {
  readonly legacy?: string;
  readonly nft?: string;
  readonly legacy6?: string;
  readonly nft6?: string;
}): FirewallReading {
  const read = (text: string | undefined): DumpReadingState =>
    text === undefined ? absent : { kind: 'present', ruleset: rulesetOf(text) };
  return {
    iptables: {
      legacy: { ipv4: read(dumps.legacy), ipv6: read(dumps.legacy6) },
      nft: { ipv4: read(dumps.nft), ipv6: read(dumps.nft6) },
    },
    nft: { kind: 'absent' },
    sets: { kind: 'absent' },
    network,
    natFirst: { ipv4: undefined, ipv6: undefined },
  };
}

export function walkOver(reading: FirewallReading, packet: Packet): Walk {
  return createFirewall(reading).walk(packet);
}

/** One table; chains that rules are appended to are declared with it. */
export function tableText(
  name: string,
  rules: readonly string[],
  policies: Record<string, string> = {},
): string {
  const chains = new Set([
    ...Object.keys(policies),
    ...rules.flatMap((rule) => /^-A (\S+)/.exec(rule)?.[1] ?? []),
    ...rules.flatMap((rule) => /^:(\S+)/.exec(rule)?.[1] ?? []),
  ]);
  const policyOf = (chain: string) => policies[chain] ?? (/^[A-Z]+$/.test(chain) ? 'ACCEPT' : '-');
  const lines = rules.filter((rule) => rule.startsWith('-A'));
  return [
    `*${name}`,
    ...[...chains].map((chain) => `:${chain} ${policyOf(chain)} [0:0]`),
    ...lines,
    'COMMIT',
    '',
  ].join('\n');
}

/** A new connection from another host to a port of this node. */
export const toSsh: Packet = {
  family: 'ipv4',
  origin: { kind: 'link', name: 'eth0' },
  source: '192.0.2.7',
  destination: '192.0.2.1',
  transport: { protocol: 'tcp', sourcePort: 40000, destinationPort: 22 },
  state: 'NEW',
};

/** From one of this node's pods to one of another node's. */
export const podToPod: Packet = {
  ...toSsh,
  origin: { kind: 'link', name: 'cni0' },
  source: '10.42.0.5',
  destination: '10.42.1.7',
  transport: { protocol: 'tcp', sourcePort: 40000, destinationPort: 8080 },
};

/** From a process of this node to an address outside. */
export const outgoing: Packet = {
  ...toSsh,
  origin: { kind: 'process', uid: 0, gid: 0 },
  source: '192.0.2.1',
  destination: '198.51.100.9',
  transport: { protocol: 'tcp', sourcePort: 40000, destinationPort: 443 },
};

function link(name: string, addresses: readonly string[], given: Partial<Link> = {}): Link {
  return {
    index: 1,
    name,
    kind: undefined,
    up: true,
    loopback: false,
    mtu: 1500,
    mac: undefined,
    master: undefined,
    addresses: addresses.map((text) => {
      const [address = '', length = ''] = text.split('/');
      const family = address.includes(':') ? 'ipv6' : 'ipv4';
      return { family, address, prefixLength: Number(length), broadcast: undefined, scope: 'global' };
    }),
    ...given,
  };
}

function route(family: Family, table: string, type: string, destination: string, out: string): Route {
  return {
    family,
    table,
    type,
    destination,
    link: out,
    gateway: undefined,
    preferredSource: undefined,
    metric: 0,
  };
}

export const network: NetworkReading = {
  links: [
    link('lo', ['127.0.0.1/8', '::1/128'], { loopback: true }),
    link('eth0', ['192.0.2.1/24', '2001:db8::1/64']),
    link('cni0', ['10.42.0.1/24', 'fd42::1/64'], { kind: 'bridge' }),
    link('flannel.1', ['10.42.0.0/32'], { kind: 'vxlan' }),
  ],
  routes: [
    route('ipv4', 'local', 'local', '127.0.0.0/8', 'lo'),
    route('ipv4', 'local', 'local', '192.0.2.1/32', 'eth0'),
    route('ipv4', 'local', 'broadcast', '192.0.2.255/32', 'eth0'),
    route('ipv4', 'local', 'local', '10.42.0.1/32', 'cni0'),
    route('ipv4', 'main', 'unicast', '192.0.2.0/24', 'eth0'),
    route('ipv4', 'main', 'unicast', '10.42.0.0/24', 'cni0'),
    route('ipv4', 'main', 'unicast', '10.42.1.0/24', 'flannel.1'),
    route('ipv4', 'main', 'unicast', '0.0.0.0/0', 'eth0'),
    route('ipv6', 'local', 'local', '::1/128', 'lo'),
    route('ipv6', 'local', 'local', '2001:db8::1/128', 'eth0'),
    route('ipv6', 'local', 'local', 'fd42::1/128', 'cni0'),
    route('ipv6', 'main', 'unicast', '2001:db8::/64', 'eth0'),
    route('ipv6', 'main', 'unicast', 'fd42::/64', 'cni0'),
    route('ipv6', 'main', 'unicast', '::/0', 'eth0'),
  ],
  policyRouting: false,
  forwarding: { ipv4: true, ipv6: true },
};
