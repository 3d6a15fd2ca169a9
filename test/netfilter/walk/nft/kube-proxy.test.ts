import { describe, expect, test } from 'vitest';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import { outgoing, podToPod, toSsh } from '../node-of.ts';
import { decider, onlyEnd, recordedTables, toPort, walkNative } from './native-node.ts';

const tables = recordedTables('kube-proxy-1.34');

/** Each end: how it went, where to, and from which address where that was changed. */
function ends(packet: Packet): readonly string[] {
  return walkNative(tables, packet)
    .ends.map((end) => {
      const { transport, destination, source } = end.packet;
      const port = 'destinationPort' in transport ? transport.destinationPort : undefined;
      const from = end.sourceTranslated ? ` from ${source}` : '';
      return `${end.fate} ${end.way} ${destination} ${port}${from}`;
    })
    .sort();
}

const fromPod: Packet = { ...podToPod, source: '10.42.0.7' };

function to(packet: Packet, destination: string, port: number, protocol: 'tcp' | 'udp' = 'tcp'): Packet {
  return { ...toPort(packet, port, protocol), destination };
}

describe('the tables of kube-proxy in nftables mode', () => {
  test('lead to any endpoint of a Service', () => {
    const { verdict } = walkNative(tables, to(podToPod, '10.43.0.80', 80));
    expect(verdict).toBe('pass');
    expect(ends(to(podToPod, '10.43.0.80', 80))).toEqual([
      'pass forward 10.42.0.5 8080 from 10.42.0.1',
      'pass forward 10.42.0.7 8080',
      'pass forward 10.42.1.6 8080',
    ]);
  });

  test('leave which endpoint it is to chance, and say so', () => {
    const { ends: all } = walkNative(tables, to(podToPod, '10.43.0.80', 80));
    expect(all.map(({ assumptions }) => assumptions)).toMatchObject(
      Array.from({ length: 3 }, () => [{ kind: 'chance', reason: 'numgen random mod 3' }]),
    );
  });

  test.each<[string, Packet, readonly string[]]>([
    ['DNS over UDP', to(fromPod, '10.43.0.10', 53, 'udp'), ['pass forward 10.42.0.2 53']],
    ['the API on this node', to(fromPod, '10.43.0.1', 443), ['pass in 192.0.2.1 6443']],
    [
      'a node port from outside is masqueraded',
      to(toSsh, '192.0.2.1', 30080),
      [
        'pass forward 10.42.0.5 8080 from 10.42.0.1',
        'pass forward 10.42.0.7 8080 from 10.42.0.1',
        'pass forward 10.42.1.6 8080 from 10.42.0.0',
      ],
    ],
    [
      'a node port for local endpoints keeps the source',
      to(toSsh, '192.0.2.1', 30083),
      ['pass forward 10.42.0.9 8080'],
    ],
    [
      'a load balancer from an allowed range',
      { ...to(toSsh, '198.51.100.80', 80), source: '203.0.113.5' },
      ['pass forward 10.42.0.9 8080'],
    ],
    ['a Service without endpoints', to(fromPod, '10.43.0.81', 80), ['reject forward 10.43.0.81 80']],
    ['its node port', to(toSsh, '192.0.2.1', 30081), ['reject in 192.0.2.1 30081']],
    ['a port that a Service has not', to(fromPod, '10.43.0.80', 81), ['reject forward 10.43.0.80 81']],
    ['an address without a Service', to(fromPod, '10.43.0.99', 80), ['drop forward 10.43.0.99 80']],
    [
      'a connection that is there',
      { ...to(fromPod, '10.43.0.99', 80), state: 'ESTABLISHED' },
      ['pass forward 10.43.0.99 80'],
    ],
    ['from the node itself', to(outgoing, '10.43.0.10', 53, 'udp'), ['pass out 10.42.0.2 53 from 10.42.0.1']],
    [
      'a Service with affinity',
      to(fromPod, '10.43.0.82', 80),
      ['pass forward 10.42.0.8 8080', 'pass forward 10.42.1.8 8080'],
    ],
    [
      'IPv6',
      { ...to(fromPod, 'fd43::10', 53, 'udp'), family: 'ipv6', source: 'fd42::7' },
      ['pass forward fd42::2 53'],
    ],
  ])('%s', (_, packet, expected) => {
    expect(ends(packet)).toEqual(expected);
  });

  test('drop what comes to a load balancer from elsewhere, before it is translated', () => {
    const end = onlyEnd(walkNative(tables, to(toSsh, '198.51.100.80', 80)));
    expect(end.fate).toBe('drop');
    expect(decider(end)).toBe('firewall-O7JKBUXF-default/local/tcp/ 1');
  });

  test('name the rule that rejects', () => {
    const { decidedBy } = onlyEnd(walkNative(tables, to(fromPod, '10.43.0.80', 81)));
    expect(decidedBy).toMatchObject({
      rejectWith: 'icmp-port-unreachable',
      rule: { table: 'kube-proxy', chain: 'cluster-ips-check', number: 1, family: 'ipv4' },
    });
  });

  test('remember which endpoint a client had', () => {
    const used = tables.map((object) =>
      hasName(object, 'affinity-IVEYFT6M-default/sticky/tcp/__10.42.1.8/8080')
        ? { set: { ...object.set, elem: [{ elem: { val: '10.42.0.7', expires: 300 } }] } }
        : object,
    );
    const end = onlyEnd(walkNative(used, to(fromPod, '10.43.0.82', 80)));
    expect(end.packet.destination).toBe('10.42.1.8');
  });
});

function hasName(object: unknown, name: string): object is { readonly set: { readonly name: string } } {
  if (typeof object !== 'object' || object === null || !('set' in object)) return false;
  const { set } = object;
  return typeof set === 'object' && set !== null && 'name' in set && set.name === name;
}
