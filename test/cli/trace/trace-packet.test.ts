import { expect, test } from 'vitest';
import { parseTraceOptions, type TraceOptions } from '../../../src/cli/trace-options.ts';
import { tracePacket } from '../../../src/cli/trace-packet.ts';
import { DoctorError } from '../../../src/doctor-error.ts';
import type { Link, NetworkReading, Route } from '../../../src/netfilter/walk/reading.ts';

function link(name: string, ...addresses: readonly string[]): Link {
  return {
    index: 1,
    name,
    kind: undefined,
    up: true,
    loopback: name === 'lo',
    mtu: 1500,
    mac: undefined,
    master: undefined,
    addresses: addresses.map((address) => ({
      family: address.includes(':') ? 'ipv6' : 'ipv4',
      address,
      prefixLength: 24,
      broadcast: undefined,
      scope: /^(fe80|127)/.test(address) ? 'link' : 'global',
    })),
  };
}

function route(destination: string, over: string, rest: Partial<Route> = {}): Route {
  return {
    family: destination.includes(':') ? 'ipv6' : 'ipv4',
    table: 'main',
    type: 'unicast',
    destination,
    link: over,
    gateway: undefined,
    preferredSource: undefined,
    metric: 0,
    ...rest,
  };
}

const network: NetworkReading = {
  links: [link('lo', '127.0.0.1'), link('eth0', 'fe80::1', '10.0.0.5', 'fd00::5'), link('cni0', '10.42.0.1')],
  routes: [
    route('0.0.0.0/0', 'eth0', { preferredSource: '10.0.0.5' }),
    route('10.42.0.0/24', 'cni0'),
    route('fd00::/64', 'eth0'),
    route('127.0.0.0/8', 'lo', { table: 'local', type: 'local' }),
    route('192.0.2.0/24', 'lo', { table: 'local', type: 'local' }),
  ],
  policyRouting: false,
  forwarding: { ipv4: true, ipv6: true },
};

function packetOf(options: Partial<TraceOptions>, on: Partial<NetworkReading> = {}) {
  const all = { from: '203.0.113.7', to: '10.0.0.5', proto: 'udp', dport: '53', state: 'new' } as const;
  const request = parseTraceOptions({ ...all, format: 'text', color: false, ...options });
  return tracePacket(request, { ...network, ...on });
}

function messageOf(options: Partial<TraceOptions>, on: Partial<NetworkReading> = {}): string {
  try {
    packetOf(options, on);
  } catch (error) {
    if (error instanceof DoctorError) return `${error.code}: ${error.message}; ${error.hint}`;
  }
  throw new Error('it was accepted');
}

test.each([
  ['203.0.113.7', 'eth0'],
  ['10.42.0.9', 'cni0'],
  ['fd00::9', 'eth0'],
])('a packet from %s arrives over %s: the routes say so', (from, name) => {
  const to = from.includes(':') ? 'fd00::5' : '10.0.0.5';
  expect(packetOf({ from, to })).toMatchObject({
    packet: { source: from, origin: { kind: 'link', name } },
    told: 'by-route',
    isOwnDestination: true,
    notices: [],
  });
});

test('--in goes before the routes', () => {
  expect(packetOf({ in: 'cni0', to: '10.43.0.1', out: 'eth0', mark: '1' })).toMatchObject({
    packet: { origin: { kind: 'link', name: 'cni0' }, outLink: 'eth0', mark: 1 },
    told: 'given',
    isOwnDestination: false,
  });
});

test.each<[string, Partial<TraceOptions>, Partial<NetworkReading>, RegExp]>([
  ['routes are not known', {}, { routes: undefined }, /the routes are not known; say it with --in$/],
  ['no route leads back', {}, { routes: [] }, /no route leads to 203\.0\.113\.7/],
  ['policy routing', {}, { policyRouting: true }, /\(ip rule\)/],
  ['a link-local address', { from: 'fe80::9', to: 'fe80::1' }, {}, /fe80::9 may be on any of them/],
])('over which link it arrives is not known: %s', (_, options, on, notice) => {
  expect(packetOf(options, on)).toMatchObject({
    packet: { origin: { kind: 'link', name: undefined } },
    told: 'unknown',
    notices: [expect.stringMatching(notice)],
  });
});

test.each(['10.0.0.5', 'local', '127.0.0.1', '127.0.0.2', '192.0.2.77'])(
  'a packet from %s is made by a process of this node',
  (from) => {
    const { packet } = packetOf({ from, to: '203.0.113.7', uid: '33' });
    expect(packet.origin).toEqual({ kind: 'process', uid: 33 });
  },
);

test.each<[string, Partial<TraceOptions>, string]>([
  ['the address that the route prefers', { to: '203.0.113.7' }, '10.0.0.5'],
  ['the address of the link', { to: '10.42.0.9' }, '10.42.0.1'],
  ['the address of the link it is to leave over', { to: '203.0.113.7', out: 'cni0' }, '10.42.0.1'],
  ['the destination, if that is its own', { to: '10.0.0.5' }, '10.0.0.5'],
  ['no link-local one, of IPv6', { to: 'fd00::9' }, 'fd00::5'],
])('this node itself sends from %s', (_, options, source) => {
  expect(packetOf({ from: 'local', ...options }).packet.source).toBe(source);
});

test.each<[string, Partial<TraceOptions>, Partial<NetworkReading>, RegExp]>([
  ['no such link', { in: 'eth9' }, {}, /^usage: --in eth9: there is no such link .*; it has lo, eth0, cni0$/],
  ['no such link out', { out: 'eth9' }, {}, /^usage: --out eth9: there is no such link/],
  [
    '--in with an own source',
    { from: '10.0.0.5', in: 'eth0' },
    {},
    /^usage: --in eth0 cannot go with --from 10\.0\.0\.5, which is this node itself/,
  ],
  ['--in with local', { from: 'local', in: 'eth0' }, {}, /^usage: --in eth0 cannot go with --from local,/],
  ['--uid of somebody else', { uid: '0' }, {}, /^usage: --uid needs a packet of this node's own/],
  [
    'local and no routes',
    { from: 'local', to: '203.0.113.7' },
    { routes: undefined },
    /^undetermined: .*; name it: --from ADDRESS$/,
  ],
])('%s is refused', (_, options, on, message) => {
  expect(messageOf(options, on)).toMatch(message);
});

test('on a node of which nothing is known any link may be named', () => {
  const nothing = { links: undefined, routes: undefined, policyRouting: undefined };
  expect(packetOf({ in: 'eth9' }, nothing)).toMatchObject({
    packet: { origin: { kind: 'link', name: 'eth9' } },
    isOwnDestination: undefined,
    notices: [],
  });
});

test('of many links not all are listed', () => {
  const links = Array.from({ length: 30 }, (_, i) => link(`veth${i}`));
  expect(messageOf({ in: 'eth9' }, { links })).toMatch(/veth19, and 10 more$/);
});
