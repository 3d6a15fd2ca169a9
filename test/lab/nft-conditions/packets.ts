import type { Hook } from '../../../src/netfilter/walk/flight.ts';
import type { Packet } from '../../../src/netfilter/walk/packet.ts';
import type { Place } from '../node/create-place.ts';

/** Who may send. */
export interface Places {
  readonly node: Place;
  readonly client: Place;
  readonly pod: Place;
}

export interface Sent {
  readonly name: string;
  readonly packet: Packet;
  /** The links it has at each hook that it comes to. */
  readonly at: Readonly<Partial<Record<Hook, Links>>>;
  /** What tells it from what is sent in answer. */
  readonly filter: string;
  send(places: Places): Promise<unknown>;
  /** So that it belongs to a connection. */
  before?(places: Places): Promise<unknown>;
  /** Where a rule leads it to in prerouting. */
  readonly ledTo?: string;
}

interface Links {
  readonly in?: string;
  readonly out?: string;
}

const port = 7777;
const localPort = 4000;
const client = { ipv4: '192.168.60.2', ipv6: 'fd00:60::2' } as const;
const pod = { ipv4: '10.42.0.9', ipv6: 'fd00:42::9' } as const;
const node = { ipv4: '192.168.60.1', ipv6: 'fd00:60::1' } as const;
const options = { localPort, timeoutMs: 60 } as const;

const incoming = { prerouting: { in: 'eth0' }, input: { in: 'eth0' } };
const forwarded = {
  prerouting: { in: 'eth0' },
  forward: { in: 'eth0', out: 'cni0' },
  postrouting: { in: 'eth0', out: 'cni0' },
};
const outgoing = { output: { out: 'eth0' }, postrouting: { out: 'eth0' } };
const looped = {
  output: { out: 'lo' },
  postrouting: { out: 'lo' },
  prerouting: { in: 'lo' },
  input: { in: 'lo' },
};

type Family = Packet['family'];

function packet(
  source: string,
  destination: string,
  protocol: 'tcp' | 'udp',
  given: Partial<Packet> = {},
): Packet {
  return {
    family: source.includes(':') ? 'ipv6' : 'ipv4',
    origin: { kind: 'link', name: 'eth0' },
    source,
    destination,
    transport: { protocol, sourcePort: localPort, destinationPort: port },
    state: 'NEW',
    ...given,
  };
}

const fromRoot = { origin: { kind: 'process', uid: 0, gid: 0 } } as const;
const udp = 'udp dport 7777';
const tcp = 'tcp dport 7777';

function echo(family: Family): Packet {
  const type = family === 'ipv4' ? 8 : 128;
  return { ...packet(client[family], node[family], 'udp'), transport: { protocol: 'icmp', type, code: 0 } };
}

function ofFamily(family: Family): readonly Sent[] {
  const own = `of ${family}`;
  return [
    {
      name: `UDP to the node ${own}`,
      packet: packet(client[family], node[family], 'udp'),
      at: incoming,
      filter: udp,
      send: (places) => places.client.udp(node[family], port, options),
    },
    {
      name: `TCP to the node ${own}`,
      packet: packet(client[family], node[family], 'tcp'),
      at: incoming,
      filter: tcp,
      send: (places) => places.client.http(node[family], port, options),
    },
    {
      name: `ICMP to the node ${own}`,
      packet: echo(family),
      at: incoming,
      filter: family === 'ipv4' ? 'icmp type echo-request' : 'icmpv6 type echo-request',
      send: (places) => places.client.exec(['ping', '-c', '1', '-W', '1', node[family]]),
    },
    {
      name: `UDP through the node ${own}`,
      packet: packet(client[family], pod[family], 'udp'),
      at: forwarded,
      filter: udp,
      send: (places) => places.client.udp(pod[family], port, options),
    },
    {
      name: `UDP from the node ${own}`,
      packet: packet(node[family], client[family], 'udp', fromRoot),
      at: outgoing,
      filter: udp,
      send: (places) => places.node.udp(client[family], port, options),
    },
    {
      name: `UDP to itself ${own}`,
      packet: packet(node[family], node[family], 'udp', fromRoot),
      at: looped,
      filter: udp,
      send: (places) => places.node.udp(node[family], port, options),
    },
  ];
}

export const sents: readonly Sent[] = [
  ...ofFamily('ipv4'),
  ...ofFamily('ipv6'),
  {
    name: 'TCP through the node',
    packet: packet(client.ipv4, pod.ipv4, 'tcp'),
    at: forwarded,
    filter: tcp,
    send: (places) => places.client.http(pod.ipv4, port, options),
  },
  {
    name: 'TCP from the node',
    packet: packet(node.ipv4, client.ipv4, 'tcp', fromRoot),
    at: outgoing,
    filter: tcp,
    send: (places) => places.node.http(client.ipv4, port, options),
  },
  {
    name: 'UDP from loopback to loopback',
    packet: packet('127.0.0.1', '127.0.0.1', 'udp', fromRoot),
    at: looped,
    filter: udp,
    send: (places) => places.node.udp('127.0.0.1', port, options),
  },
  {
    name: 'an answer to the node',
    packet: packet(client.ipv4, node.ipv4, 'udp', { state: 'ESTABLISHED' }),
    at: incoming,
    filter: udp,
    before: (places) => places.node.udp(client.ipv4, localPort, { ...options, localPort: port }),
    send: (places) => places.client.udp(node.ipv4, port, options),
  },
  {
    name: 'ICMP to all',
    packet: { ...echo('ipv4'), destination: '224.0.0.1' },
    at: incoming,
    filter: 'icmp type echo-request',
    send: (places) => places.client.exec(['ping', '-c', '1', '-W', '1', '224.0.0.1']),
  },
  {
    name: 'ICMP to the subnet',
    packet: { ...echo('ipv4'), destination: '192.168.60.255' },
    at: incoming,
    filter: 'icmp type echo-request',
    send: (places) => places.client.exec(['ping', '-b', '-c', '1', '-W', '1', '192.168.60.255']),
  },
  {
    name: 'UDP that is led to a pod',
    packet: packet(client.ipv4, node.ipv4, 'udp'),
    at: forwarded,
    filter: udp,
    ledTo: pod.ipv4,
    send: (places) => places.client.udp(node.ipv4, port, options),
  },
];
