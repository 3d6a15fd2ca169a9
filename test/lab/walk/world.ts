/**
 * The node that packets are sent through, and who is around it:
 *
 *     outside -- eth0 --+        +-- cni0 (ports veth-a, veth-b) -- pods
 *     outside -- eth1 --+- node -+
 *                                +-- flannel.1 -- pods of another node
 */
import type { Family } from '../../../src/netfilter/ruleset.ts';

/** Links that frames come in over, each with its VXLAN number. */
export const wires = { eth0: 1, eth1: 2, 'veth-a': 3, 'veth-b': 4, 'flannel.1': 5 } as const;
export type Wire = keyof typeof wires;

/** What the node's rules see of a wire: a port's traffic is its bridge's. */
export function linkOf(wire: Wire): string {
  return wire.startsWith('veth') ? 'cni0' : wire;
}

export const nodeAddresses = {
  ipv4: { eth0: '192.168.60.1', eth1: '172.16.5.1', cni0: '10.42.0.1', 'flannel.1': '10.42.0.0' },
  ipv6: { eth0: 'fd00:60::1', eth1: 'fd00:16::1', cni0: 'fd00:42::1', 'flannel.1': 'fd00:42:0:ff::1' },
} as const;

export const prefixes = {
  ipv4: { eth0: '192.168.60.', eth1: '172.16.5.', cni0: '10.42.0.', 'flannel.1': '10.42.1.' },
  ipv6: { eth0: 'fd00:60::', eth1: 'fd00:16::', cni0: 'fd00:42::', 'flannel.1': 'fd00:42:0:1::' },
} as const;

/** Far away, behind the gateway on eth0. */
export const farPrefix = { ipv4: '203.0.113.', ipv6: '2001:db8::' } as const;
export const services = {
  ipv4: ['10.43.0.1', '10.43.0.10', '10.43.0.80'],
  ipv6: ['fd00:43::1', 'fd00:43::10', 'fd00:43::80'],
} as const;

/** Routes of every kind, and somebody behind each. */
export const oddRoutes = [
  ...['blackhole 198.18.0.0/24', 'unreachable 198.18.1.0/24', 'prohibit 198.18.2.0/24'],
  '198.18.3.0/24 via 172.16.5.254 dev eth1 metric 10',
  '198.18.3.0/24 via 192.168.60.250 dev eth0 metric 20',
  ...['198.18.3.64/26 dev flannel.1', 'local 198.18.4.0/24 dev lo', 'throw 198.18.5.0/24'],
  ...['blackhole 2001:db8:18::/64', 'unreachable 2001:db8:18:1::/64', 'prohibit 2001:db8:18:2::/64'],
  '2001:db8:18:3::/64 via fd00:16::fe dev eth1 metric 10',
  '2001:db8:18:3::/64 via fd00:60::fa dev eth0 metric 20',
  ...['2001:db8:18:3:8000::/68 dev flannel.1', 'local 2001:db8:18:4::/64 dev lo'],
];
export const oddAddresses = {
  ipv4: ['198.18.0.9', '198.18.1.9', '198.18.2.9', '198.18.3.9', '198.18.3.70', '198.18.4.9', '198.18.5.9'],
  ipv6: ['', '1', '2', '3', '4']
    .map((net) => `2001:db8:18:${net === '' ? '0' : net}::9`)
    .concat('2001:db8:18:3:8000::9'),
} as const;

export const broadcasts = ['192.168.60.255', '255.255.255.255', '224.0.0.1'];
export const multicasts6 = ['ff02::1'];

export const ports = [22, 53, 80, 443, 2379, 6443, 8080, 8472, 10250, 30080, 51820];

/** Marks that a frame can carry in, chosen by the upper two bits of its number. */
export const marks: readonly number[] = [0, 0x1, 0x4000, 0x20000];

export const owners = [
  { uid: 0, gid: 0 },
  { uid: 1000, gid: 1000 },
  { uid: 65534, gid: 65534 },
] as const;

/** On cni0 there is a host with each of these last numbers, the even ones behind veth-a. */
export const existingPods = {
  ipv4: Array.from({ length: 253 }, (_, index) => index + 2),
  // As far as recordings go.
  ipv6: Array.from({ length: 510 }, (_, index) => index + 2),
} as const;

/** Those that packets are sent from and to. */
export const hostNumbers = Array.from({ length: 60 }, (_, index) => index + 2);

export function hostAddress(prefix: string, number: number): string {
  return `${prefix}${prefix.endsWith(':') ? number.toString(16) : number}`;
}

export function wireOfPod(number: number): Wire {
  return number % 2 === 0 ? 'veth-a' : 'veth-b';
}

export function podMac(number: number): string {
  const [high, low] = [number >> 8, number & 0xff].map((byte) => byte.toString(16).padStart(2, '0'));
  return `0a:58:0a:2a:${high}:${low}`;
}

export const families = ['ipv4', 'ipv6'] as const satisfies readonly Family[];
