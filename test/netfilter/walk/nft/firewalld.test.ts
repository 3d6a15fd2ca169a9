import { describe, expect, test } from 'vitest';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import { podToPod, toSsh } from '../node-of.ts';
import { decider, onlyEnd, recordedTables, toPort, walkNative } from './native-node.ts';

const tables = recordedTables('firewalld-1.3');
const ssh6: Packet = { ...toSsh, family: 'ipv6', source: '2001:db8:7::9', destination: '2001:db8::1' };

function outcome(packet: Packet): string {
  const { verdict, ends } = walkNative(tables, packet);
  return `${verdict}: ${ends.map(decider).join(', ')}`;
}

describe('the tables of firewalld', () => {
  test.each<[string, Packet, string]>([
    ['a service of the zone', toSsh, 'pass: filter_IN_public_allow 1'],
    ['an open port', toPort(toSsh, 6443), 'pass: filter_IN_public_allow 3'],
    ['a port that is not', toPort(toSsh, 23), 'reject: filter_IN_public 9'],
    [
      'a rich rule for a peer',
      { ...toPort(toSsh, 8472, 'udp'), source: '10.0.0.2' },
      'pass: filter_IN_public_allow 4',
    ],
    ['not that peer', { ...toPort(toSsh, 8472, 'udp'), source: '10.0.0.3' }, 'reject: filter_IN_public 9'],
    ['a rich rule that rejects', { ...toSsh, source: '203.0.113.66' }, 'reject: filter_IN_public_deny 2'],
    ['an open protocol', { ...toSsh, transport: { protocol: 'esp' } }, 'pass: filter_IN_public_allow 5'],
    ['a set of a zone that drops', { ...toSsh, source: '198.51.100.9' }, 'drop: filter_IN_drop 8'],
    ['one address of the set', { ...toSsh, source: '198.51.101.7' }, 'drop: filter_IN_drop 8'],
    ['the address beside it', { ...toSsh, source: '198.51.101.8' }, 'pass: filter_IN_public_allow 1'],
    [
      'an established connection',
      { ...toSsh, source: '198.51.100.9', state: 'ESTABLISHED' },
      'pass: filter_INPUT 1',
    ],
    ['no connection', { ...toSsh, state: 'INVALID' }, 'drop: filter_INPUT 4'],
    [
      'a blocked ICMP type',
      { ...toSsh, transport: { protocol: 'icmp', type: 13, code: 0 } },
      'reject: filter_IN_public_deny 3',
    ],
    ['a trusted source', podToPod, 'pass: filter_FWD_trusted_allow 2'],
    ['IPv6', ssh6, 'pass: filter_IN_public_allow 1'],
    ['a range of IPv6', { ...ssh6, source: '2001:db8:bad::1' }, 'drop: filter_IN_public_deny 1'],
    ['a source of another link', { ...ssh6, source: 'fd42::77' }, 'drop: filter_PREROUTING 2'],
  ])('%s', (_, packet, expected) => {
    expect(outcome(packet)).toBe(expected);
  });

  test('say with what they reject', () => {
    const { decidedBy } = onlyEnd(walkNative(tables, toPort(toSsh, 23)));
    expect(decidedBy).toMatchObject({
      kind: 'rule',
      rejectWith: 'icmp-admin-prohibited',
      rule: {
        backend: 'native',
        family: 'inet',
        table: 'firewalld',
        text: 'reject with icmpx admin-prohibited',
      },
    });
  });

  test('forward a port, and masquerade what goes there', () => {
    const end = onlyEnd(walkNative(tables, toPort(toSsh, 8080)));
    expect(end).toMatchObject({
      fate: 'pass',
      way: 'forward',
      packet: { source: '192.0.2.1', destination: '192.0.2.55', transport: { destinationPort: 80 } },
      destinationTranslated: true,
      sourceTranslated: true,
    });
    expect(decider(end)).toBe('filter_FORWARD 2');
    expect(end.path.map(({ action }) => action)).toContain('to 192.0.2.55:80');
  });
});
