import { describe, expect, test } from 'vitest';
import { arrivalLinks, routeTo } from '../../../src/netfilter/walk/arrival-links.ts';
import type { Link, NetworkReading, Route } from '../../../src/netfilter/walk/reading.ts';

const link = (name: string, address: string): Link => ({
  index: 1,
  name,
  kind: undefined,
  up: true,
  loopback: name === 'lo',
  mtu: 1500,
  mac: undefined,
  master: undefined,
  addresses: [{ family: 'ipv4', address, prefixLength: 24, broadcast: undefined, scope: 'global' }],
});

const route = (destination: string, over: string | undefined, more: Partial<Route> = {}): Route => ({
  family: 'ipv4',
  table: 'main',
  type: 'unicast',
  destination,
  link: over,
  gateway: undefined,
  preferredSource: undefined,
  metric: 0,
  ...more,
});

const node: NetworkReading = {
  links: [link('lo', '127.0.0.1'), link('eth0', '198.51.100.1'), link('eth1', '10.0.0.1')],
  routes: [
    route('0.0.0.0/0', 'eth1', { metric: 200 }),
    route('0.0.0.0/0', 'eth0', { metric: 100 }),
    route('10.0.0.0/24', 'eth1'),
    route('10.0.0.9/32', undefined, { type: 'blackhole' }),
    route('10.0.0.2/32', 'tun0', { table: '52' }),
    route('10.0.0.1/32', 'eth1', { table: 'local', type: 'local' }),
  ],
  policyRouting: false,
  forwarding: { ipv4: true, ipv6: true },
};

describe('the way back to a sender', () => {
  test.each([
    ['in a network of a link', '10.0.0.2', 'eth1'],
    ['anywhere: the lowest metric', '203.0.113.7', 'eth0'],
    ['that is a black hole', '10.0.0.9', undefined],
    ['that is no address', 'nonsense', undefined],
    ['of another family', '2001:db8::1', undefined],
  ])('%s', (_where, address, expected) => {
    expect(routeTo(node, 'ipv4', address)?.link).toBe(expected);
  });
});

describe('the links over which somebody may arrive', () => {
  const to = (network: NetworkReading, source: string, destination: string) =>
    arrivalLinks(network, { family: 'ipv4', source, destination });

  test('the one that leads back to him', () => {
    expect(to(node, '10.0.0.2', '198.51.100.1')).toEqual(['eth1']);
  });

  test('with policy routing also the one with the address that he sends to', () => {
    for (const policyRouting of [true, undefined]) {
      expect(to({ ...node, policyRouting }, '10.0.0.2', '198.51.100.1')).toEqual(['eth1', 'eth0']);
      expect(to({ ...node, policyRouting }, '10.0.0.2', '10.0.0.1')).toEqual(['eth1']);
    }
  });

  test('where no route leads back the one with the address', () => {
    expect(to({ ...node, routes: [] }, '10.0.0.2', '198.51.100.1')).toEqual(['eth0']);
  });

  test('none that is known', () => {
    const nothing = { ...node, links: undefined, routes: undefined };
    expect(to(nothing, '10.0.0.2', '198.51.100.1')).toEqual([undefined]);
  });
});
