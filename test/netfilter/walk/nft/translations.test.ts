import { describe, expect, test } from 'vitest';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import { portOf } from '../../../../src/netfilter/walk/translate.ts';
import { podToPod, toSsh } from '../node-of.ts';
import { onlyEnd, tableOn, walkNative } from './native-node.ts';
import { half, port } from './rule-parts.ts';

describe('translations', () => {
  const nat = (statement: unknown, hook = 'prerouting', family = 'inet') =>
    tableOn(hook, [[statement]], { type: 'nat', prio: hook === 'prerouting' ? -100 : 100, family });
  const translated = (statement: unknown, packet: Packet = toSsh, hook = 'prerouting') => {
    const { verdict, ends } = walkNative(nat(statement, hook), packet);
    const packets = ends.map(({ packet: { source: from, destination, transport } }) => {
      const ports = [portOf(transport, 'source'), portOf(transport, 'destination')].join('-');
      return `${from}>${destination} ${ports}`;
    });
    return `${verdict}: ${packets.sort().join(', ')}`;
  };

  test.each<[string, unknown, string]>([
    ['an address', { dnat: { family: 'ip', addr: '10.42.0.9' } }, 'pass: 192.0.2.7>10.42.0.9 40000-22'],
    ['an address and port', { dnat: { addr: '10.42.0.9', port: 80 } }, 'pass: 192.0.2.7>10.42.0.9 40000-80'],
    ['a port alone', { dnat: { port: 80 } }, 'pass: 192.0.2.7>192.0.2.1 40000-80'],
    [
      'of the other family',
      { dnat: { family: 'ip6', addr: 'fd42::9' } },
      'pass: 192.0.2.7>192.0.2.1 40000-22',
    ],
    [
      'one of several',
      { dnat: { addr: { range: ['10.42.0.9', '10.42.0.10'] } } },
      'pass: 192.0.2.7>10.42.0.10 40000-22, 192.0.2.7>10.42.0.9 40000-22',
    ],
    [
      'one of several with a port, by chance',
      {
        dnat: {
          addr: {
            map: {
              key: half,
              data: {
                set: [
                  [0, { concat: ['10.42.0.9', 80] }],
                  [1, { concat: ['10.42.0.10', 81] }],
                ],
              },
            },
          },
        },
      },
      'pass: 192.0.2.7>10.42.0.10 40000-81, 192.0.2.7>10.42.0.9 40000-80',
    ],
    [
      'by a part that is not known',
      {
        dnat: {
          addr: {
            map: {
              key: { payload: { protocol: 'icmp', field: 'type' } },
              data: { set: [[8, '10.42.0.9']] },
            },
          },
        },
      },
      'pass: 192.0.2.7>192.0.2.1 40000-22',
    ],
    [
      'a port that is in the range stays',
      { dnat: { port: { range: [20, 30] } } },
      'pass: 192.0.2.7>192.0.2.1 40000-22',
    ],
    ['else it is the first', { dnat: { port: { range: [80, 90] } } }, 'pass: 192.0.2.7>192.0.2.1 40000-80'],
    [
      'a network for a network',
      {
        dnat: {
          family: 'ip',
          addr: {
            map: {
              key: { payload: { protocol: 'ip', field: 'daddr' } },
              data: {
                set: [
                  [{ prefix: { addr: '192.0.2.0', len: 24 } }, { prefix: { addr: '10.42.0.0', len: 24 } }],
                ],
              },
            },
          },
          flags: 'netmap',
          type_flags: 'prefix',
        },
      },
      'pass: 192.0.2.7>10.42.0.1 40000-22',
    ],
    ['to the node itself', { redirect: { port: 8080 } }, 'pass: 192.0.2.7>192.0.2.1 40000-8080'],
    [
      'where to cannot be told',
      { dnat: { addr: { what: 1 } } },
      'unknown: 192.0.2.7>192.0.2.1 40000-22, 192.0.2.7>192.0.2.1 40000-22',
    ],
  ])('of the destination: %s', (_, statement, expected) => {
    expect(translated(statement)).toBe(expected);
  });

  test.each<[string, unknown, string]>([
    ['an address', { snat: { family: 'ip', addr: '192.0.2.77' } }, 'pass: 192.0.2.77>10.42.1.7 40000-8080'],
    ['of the link', { masquerade: null }, 'pass: 10.42.0.0>10.42.1.7 40000-8080'],
    ['any port', { masquerade: { flags: 'fully-random' } }, 'pass: 10.42.0.0>10.42.1.7 -8080'],
    [
      'one that it has already',
      { snat: { addr: { prefix: { addr: '10.42.0.0', len: 24 } } } },
      'pass: 10.42.0.5>10.42.1.7 40000-8080',
    ],
  ])('of the source: %s', (_, statement, expected) => {
    expect(translated(statement, podToPod, 'postrouting')).toBe(expected);
  });

  test('by a port that is not known may be any, or none', () => {
    const map = {
      key: port,
      data: {
        set: [
          [80, { concat: ['10.42.0.9', 8080] }],
          [81, { concat: ['10.42.0.9', 8081] }],
        ],
      },
    };
    const packet: Packet = { ...toSsh, transport: { protocol: 'tcp', sourcePort: 40000 } };
    expect(translated({ dnat: { family: 'ip', addr: { map } } }, packet)).toBe(
      'pass: 192.0.2.7>10.42.0.9 40000-8080, 192.0.2.7>10.42.0.9 40000-8081, 192.0.2.7>192.0.2.1 40000-',
    );
  });

  test('are told in the path', () => {
    const { path, destinationTranslated } = onlyEnd(
      walkNative(nat({ dnat: { addr: '10.42.0.9', port: 80 } }), toSsh),
    );
    expect(destinationTranslated).toBe(true);
    expect(path.map(({ action, rule }) => [action, rule.text])).toEqual([
      ['to 10.42.0.9:80', 'dnat to 10.42.0.9:80'],
    ]);
  });
});
