import { parseRuleset } from '../../src/netfilter/parse-ruleset.ts';
import { createFirewall, type Firewall } from '../../src/netfilter/walk/firewall.ts';
import type { Packet, Transport } from '../../src/netfilter/walk/packet.ts';
import type { DumpReadingState, Link, NetworkReading, Route } from '../../src/netfilter/walk/reading.ts';
import { kubeProxyRuleset } from './kube-proxy-ruleset.ts';

export interface WalkTimes {
  /** Both dumps, from text to model. */
  readonly parseSeconds: number;
  /** Twelve flows from each of 20 peers to the node, new and established; chains are compiled on the way. */
  readonly peersSeconds: number;
  /** As many new connections from pods to as many Services, with all their endpoints in both backends. */
  readonly servicesSeconds: number;
  readonly walks: number;
}

/** The packet walk over what kube-proxy writes in both backends. */
export function timeWalks(services: number): WalkTimes {
  const texts = { legacy: kubeProxyRuleset(services, services * 3), nft: kubeProxyRuleset(services, 0) };
  const start = performance.now();
  const legacy = read(texts.legacy);
  const nft = read(texts.nft);
  const parsed = performance.now();
  const none: DumpReadingState = { kind: 'absent' };
  const firewall = createFirewall({
    iptables: { legacy: { ipv4: legacy, ipv6: none }, nft: { ipv4: nft, ipv6: none } },
    nft: { kind: 'absent' },
    sets: { kind: 'absent' },
    network,
    natFirst: { ipv4: undefined, ipv6: undefined },
  });
  const peers = fromPeers();
  walkAll(firewall, peers);
  const walked = performance.now();
  walkAll(firewall, toServices(services, peers.length));
  return {
    parseSeconds: (parsed - start) / 1000,
    peersSeconds: (walked - parsed) / 1000,
    servicesSeconds: (performance.now() - walked) / 1000,
    walks: peers.length,
  };
}

function read(text: string): DumpReadingState {
  const parsed = parseRuleset(text);
  if (parsed.kind === 'unparsable') throw new Error(`line ${parsed.line}: ${parsed.reason}`);
  return { kind: 'present', ruleset: parsed.ruleset };
}

function walkAll(firewall: Firewall, packets: readonly Packet[]): void {
  for (const packet of packets)
    if (firewall.walk(packet).verdict !== 'pass') throw new Error(`${packet.destination} is not reached`);
}

const tcp = [22, 2379, 2380, 5001, 6443, 10250];
const udp = [500, 4500, 8472, 51820, 51821];

function fromPeers(): readonly Packet[] {
  const transports: readonly Transport[] = [
    ...tcp.map((destinationPort) => ({ protocol: 'tcp', sourcePort: 40000, destinationPort }) as const),
    ...udp.map((destinationPort) => ({ protocol: 'udp', sourcePort: 40000, destinationPort }) as const),
    { protocol: 'esp' },
  ];
  return Array.from({ length: 20 }, (_, i) => `192.0.2.${i + 100}`).flatMap((source) =>
    transports.flatMap((transport) =>
      (['NEW', 'ESTABLISHED'] as const).map((state) => ({
        family: 'ipv4' as const,
        origin: { kind: 'link', name: 'eth0' } as const,
        source,
        destination: '192.0.2.1',
        transport,
        state,
      })),
    ),
  );
}

function toServices(services: number, count: number): readonly Packet[] {
  return Array.from({ length: count }, (_, i) => {
    const service = Math.floor((i * services) / count);
    return {
      family: 'ipv4',
      origin: { kind: 'link', name: 'cni0' },
      source: '10.42.0.5',
      destination: `10.${43 + (service >> 16)}.${(service >> 8) & 255}.${service & 255}`,
      transport: { protocol: 'tcp', sourcePort: 40000, destinationPort: 80 },
      state: 'NEW',
    };
  });
}

function link(name: string, address: string, given: Partial<Link> = {}): Link {
  const scope = 'global';
  return {
    ...{
      index: 1,
      name,
      kind: undefined,
      up: true,
      loopback: false,
      mtu: 1500,
      mac: undefined,
      master: undefined,
    },
    addresses: [{ family: 'ipv4', address, prefixLength: 24, broadcast: undefined, scope }],
    ...given,
  };
}

function route(type: string, destination: string, out: string): Route {
  const table = type === 'local' ? 'local' : 'main';
  const more = { gateway: undefined, preferredSource: undefined, metric: 0 };
  return { family: 'ipv4', table, type, destination, link: out, ...more };
}

const network: NetworkReading = {
  links: [link('lo', '127.0.0.1', { loopback: true }), link('eth0', '192.0.2.1'), link('cni0', '10.42.0.1')],
  routes: [
    route('local', '127.0.0.0/8', 'lo'),
    route('local', '192.0.2.1/32', 'eth0'),
    route('unicast', '0.0.0.0/0', 'eth0'),
    route('unicast', '10.42.0.0/24', 'cni0'),
  ],
  policyRouting: false,
  forwarding: { ipv4: true, ipv6: true },
};
