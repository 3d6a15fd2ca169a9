import { describe, expect, test } from 'vitest';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import { outgoing, podToPod, toSsh } from '../node-of.ts';
import { decider, recordedTables, toPort, walkNative } from './native-node.ts';

const tables = recordedTables('inet-filter');

function outcome(packet: Packet): string {
  const { verdict, ends } = walkNative(tables, packet);
  return `${verdict}: ${[...new Set(ends.map((end) => `${end.fate} by ${decider(end)}`))].sort().join(', ')}`;
}

const from = (source: string, packet: Packet = toSsh): Packet => ({ ...packet, source });
const stranger = '198.51.100.1';
const ssh6: Packet = { ...toSsh, family: 'ipv6', source: '2001:db8:7::9', destination: '2001:db8::1' };

describe('a table for both families, written by hand', () => {
  test.each<[string, Packet, string]>([
    ['a map of states: established', { ...toSsh, state: 'ESTABLISHED' }, 'pass: pass by input 1'],
    ['a map of states: invalid', { ...toSsh, state: 'INVALID' }, 'drop: drop by input 1'],
    ['a set of networks', from('192.0.2.200'), 'drop: drop by input 3'],
    ['a set of networks, one address', from('198.51.100.7'), 'drop: drop by input 3'],
    ['an element with a timeout', from('198.51.100.66'), 'drop: drop by input 4'],
    ['ICMP', { ...toSsh, transport: { protocol: 'icmp', type: 8, code: 0 } }, 'pass: pass by input 5'],
    ['ICMP of IPv6', { ...ssh6, transport: { protocol: 'icmp' } }, 'pass: pass by input 5'],
    ['an address and port', from('192.0.2.7'), 'pass: pass by input 7'],
    ['an address of a range, and port', from('192.0.2.9', toPort(toSsh, 6443)), 'pass: pass by input 7'],
    ['a limit decides', from(stranger), 'depends: drop by input 8, pass by input 9'],
    ['a limit decides for IPv4 alone', ssh6, 'pass: pass by input 9'],
    ['a peer', from('10.0.0.3', toPort(toSsh, 8472, 'udp')), 'pass: pass by input 10'],
    ['no peer', from('10.0.0.4', toPort(toSsh, 8472, 'udp')), 'drop: drop by policy of input'],
    ['a range of ports', from('10.0.0.2', toPort(toSsh, 51821, 'udp')), 'pass: pass by input 10'],
    ['ESP', from('10.0.0.9', { ...toSsh, transport: { protocol: 'esp' } }), 'pass: pass by input 11'],
    ['a map of ports: accept', from(stranger, toPort(toSsh, 443)), 'pass: pass by input 12'],
    ['a map of ports: drop', from(stranger, toPort(toSsh, 25)), 'drop: drop by input 12'],
    ['a map of ports: jump', from('192.0.2.99', toPort(toSsh, 8080)), 'pass: pass by web 1'],
    [
      'what comes back from the jump, and a limit to an answer',
      from(stranger, toPort(toSsh, 8080)),
      'reject: drop by policy of input, reject by input 14',
    ],
    [
      'the beginning of a name',
      from('10.42.0.9', { ...toPort(toSsh, 9999), origin: { kind: 'link', name: 'cni0' } }),
      'pass: pass by input 13',
    ],
    ['from pod to outside', { ...podToPod, destination: stranger }, 'pass: pass by forward 2'],
    [
      'two links and a network',
      { ...podToPod, origin: { kind: 'link', name: 'eth0' }, source: stranger, destination: '10.42.0.9' },
      'pass: pass by forward 3',
    ],
    [
      'not these links',
      { ...podToPod, origin: { kind: 'link', name: 'eth0' }, source: stranger },
      'reject: reject by forward 4',
    ],
    ['a user', { ...outgoing, origin: { kind: 'process', uid: 65534 } }, 'drop: drop by output 1'],
    ['another user', outgoing, 'pass: pass by policy of output'],
    [
      'a user to an excepted network',
      { ...outgoing, origin: { kind: 'process', uid: 65534 }, destination: '10.9.9.9' },
      'pass: pass by policy of output',
    ],
    [
      'a user that is not known',
      { ...outgoing, origin: { kind: 'process' } },
      'unknown: drop by output 1, pass by policy of output',
    ],
  ])('%s', (_, packet, expected) => {
    expect(outcome(packet)).toBe(expected);
  });

  test('a packet over a link that is not known has an end for each', () => {
    const packet = {
      ...toPort(toSsh, 9999),
      origin: { kind: 'link', name: undefined },
      source: stranger,
    } as const;
    const { verdict, ends } = walkNative(tables, packet);
    expect(verdict).toBe('unknown');
    expect(ends.flatMap(({ assumptions }) => assumptions)).toContainEqual(
      expect.objectContaining({ kind: 'unknown', reason: 'the link it arrives over is not known' }),
    );
  });

  test('a port that is not known leaves open what the map decides', () => {
    const packet: Packet = { ...toSsh, source: stranger, transport: { protocol: 'tcp' } };
    const { verdict, ends } = walkNative(tables, packet);
    expect(verdict).toBe('unknown');
    expect(new Set(ends.map(decider))).toEqual(
      new Set(['input 8', 'input 9', 'input 12', 'policy of input', 'input 14']),
    );
  });
});
