import { describe, expect, test } from 'vitest';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import { outgoing, toSsh } from '../node-of.ts';
import { onlyEnd, recordedTables, toPort, walkNative } from './native-node.ts';

const tables = recordedTables('cni-portmap-1.6');

function destination(packet: Packet): string {
  const { way, packet: after } = onlyEnd(walkNative(tables, packet));
  const { transport } = after;
  return `${way} ${after.destination} ${'destinationPort' in transport ? transport.destinationPort : ''}`;
}

describe('the tables of CNI portmap', () => {
  test.each<[string, Packet, string]>([
    ['a port of all addresses', toPort(toSsh, 8080), 'forward 10.42.0.9 80'],
    ['the same of UDP is another port', toPort(toSsh, 8080, 'udp'), 'in 192.0.2.1 8080'],
    ['UDP', toPort(toSsh, 5353, 'udp'), 'forward 10.42.0.9 53'],
    ['a port of one address', toPort(toSsh, 8443), 'forward 10.42.0.9 443'],
    [
      'not of another',
      { ...toPort(toSsh, 8443), destination: '10.42.0.1', origin: { kind: 'link', name: 'cni0' } },
      'in 10.42.0.1 8443',
    ],
    ['from the node itself', { ...toPort(outgoing, 8080), destination: '192.0.2.1' }, 'out 10.42.0.9 80'],
    ['the node to elsewhere', toPort(outgoing, 8080), 'out 198.51.100.9 8080'],
    [
      'IPv6',
      { ...toPort(toSsh, 8080), family: 'ipv6', source: '2001:db8::9', destination: '2001:db8::1' },
      'forward fd42::9 80',
    ],
    ['an established connection', { ...toPort(toSsh, 8080), state: 'ESTABLISHED' }, 'in 192.0.2.1 8080'],
  ])('%s', (_, packet, expected) => {
    expect(destination(packet)).toBe(expected);
  });

  test('a pod that comes back to itself does so from an address of the node', () => {
    const packet: Packet = {
      ...toPort(toSsh, 8080),
      origin: { kind: 'link', name: 'cni0' },
      source: '10.42.0.9',
    };
    expect(onlyEnd(walkNative(tables, packet))).toMatchObject({
      way: 'forward',
      packet: { source: '10.42.0.1', destination: '10.42.0.9' },
      sourceTranslated: true,
    });
  });
});
