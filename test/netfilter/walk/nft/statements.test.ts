import { describe, expect, test } from 'vitest';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import { portOf } from '../../../../src/netfilter/walk/translate.ts';
import { podToPod, toSsh } from '../node-of.ts';
import { decider, onlyEnd, recordedTables, tableOn, walkNative } from './native-node.ts';

const accept = { accept: null };
const drop = { drop: null };
const jump = { jump: { target: 'other' } };
const counter = { counter: { packets: 0, bytes: 0 } };
const xt = { xt: { type: 'match', name: 'string' } };
const meta = (key: string) => ({ meta: { key } });
const match = (left: unknown, right: unknown, op = '==') => ({ match: { op, left, right } });
const source = { payload: { protocol: 'ip', field: 'saddr' } };
const markTo = (value: unknown) => ({ mangle: { key: meta('mark'), value } });
const sourceIs = match(source, toSsh.source);
const half = { numgen: { mode: 'random', mod: 2, offset: 0 } };

/** Verdict, and who decided each end. */
function outcome(rules: readonly (readonly unknown[])[], packet: Packet = toSsh, more = {}): string {
  const { verdict, ends } = walkNative(tableOn('input', rules, { more }), packet);
  return `${verdict}: ${ends.map(decider).sort().join(', ')}`;
}

describe('statements', () => {
  test.each<[string, readonly (readonly unknown[])[], string]>([
    ['a verdict ends the chain', [[drop], [accept]], 'drop: base 1'],
    [
      'a rule that does not match is passed over',
      [[match(source, '10.9.9.9'), drop]],
      'pass: policy of base',
    ],
    ['all of a rule has to match', [[sourceIs, match(meta('mark'), 5), drop]], 'pass: policy of base'],
    [
      'counting and logging change nothing',
      [[sourceIs, counter, { log: { prefix: 'x' } }, drop]],
      'drop: base 1',
    ],
    [
      'a limit leaves it open',
      [[{ limit: { rate: 5, per: 'second' } }, drop]],
      'depends: base 1, policy of base',
    ],
    [
      'a limit without effect does not',
      [[{ limit: { rate: 5, per: 'second' } }, counter]],
      'pass: policy of base',
    ],
    [
      'nor does one with the same outcome either way',
      [[{ limit: { rate: 5, per: 'second' } }, drop], [drop]],
      'drop: base 1, base 2',
    ],
    [
      'a quota leaves it open',
      [[{ quota: { val: 5, val_unit: 'mbytes' } }, drop]],
      'depends: base 1, policy of base',
    ],
    [
      'so does a count of connections',
      [[{ 'ct count': { val: 5, inv: true } }, drop]],
      'depends: base 1, policy of base',
    ],
    ['a queue is not followed', [[{ queue: { num: 0 } }]], 'unknown: base 1, base 1'],
    ['a match of xt is not understood', [[xt, drop]], 'unknown: base 1, policy of base'],
    ['what nobody knows is not guessed', [[{ 'new thing': {} }]], 'unknown: base 1, policy of base'],
    ['jump and come back', [[jump], [drop]], 'drop: base 2'],
    ['a mark that is set is seen', [[markTo(5)], [match(meta('mark'), 5), drop]], 'drop: base 2'],
    [
      'arithmetic of marks',
      [[markTo({ '|': [{ '&': [meta('mark'), 0xff] }, 0x100] })], [match(meta('mark'), 0x104), drop]],
      'drop: base 2',
    ],
    [
      'a mark of the connection',
      [
        [{ mangle: { key: { ct: { key: 'mark' } }, value: meta('mark') } }],
        [match({ ct: { key: 'mark' } }, 4), drop],
      ],
      'drop: base 2',
    ],
    [
      'a mark from a map',
      [
        [markTo({ map: { key: source, data: { set: [[toSsh.source, 9]] } } })],
        [match(meta('mark'), 9), drop],
      ],
      'drop: base 2',
    ],
    [
      'a map without the address ends the rule',
      [[markTo({ map: { key: source, data: { set: [['10.9.9.9', 9]] } } }), drop]],
      'pass: policy of base',
    ],
    [
      'a random mark has each value',
      [[markTo(half)], [match(meta('mark'), 1), drop]],
      'depends: base 2, policy of base',
    ],
    ['chance within one rule', [[match(half, 1), drop]], 'depends: base 1, policy of base'],
    ['chance that covers all', [[match(half, 2, '<'), drop]], 'drop: base 1'],
    [
      'a map of verdicts by chance',
      [
        [
          {
            vmap: {
              key: half,
              data: {
                set: [
                  [0, drop],
                  [1, accept],
                ],
              },
            },
          },
        ],
      ],
      'depends: base 1, base 1',
    ],
    [
      'a map of verdicts that chance may miss',
      [[{ vmap: { key: half, data: { set: [[0, drop]] } } }]],
      'depends: base 1, policy of base',
    ],
    [
      'any other element',
      [
        [
          {
            vmap: {
              key: source,
              data: {
                set: [
                  ['10.9.9.9', accept],
                  ['*', drop],
                ],
              },
            },
          },
        ],
      ],
      'drop: base 1',
    ],
    [
      'an element that is not understood',
      [[match(source, { set: [{ what: 1 }, '10.9.9.9'] }), drop]],
      'unknown: base 1, policy of base',
    ],
    [
      'but one that is found counts',
      [[match(source, { set: [{ what: 1 }, toSsh.source] }), drop]],
      'drop: base 1',
    ],
    ['a set that is not there', [[match(source, '@gone'), drop]], 'unknown: base 1, policy of base'],
    [
      'an element with a limit of its own',
      [[match(source, { set: [{ elem: { val: toSsh.source, limit: { rate: 1 } } }] }), drop]],
      'depends: base 1, policy of base',
    ],
    [
      'reject of the other family',
      [[{ reject: { type: 'icmpv6', expr: 'no-route' } }]],
      'pass: policy of base',
    ],
    [
      'a header that the packet has not',
      [[match({ payload: { protocol: 'udp', field: 'dport' } }, 22, '!='), drop]],
      'pass: policy of base',
    ],
    [
      'length and the like are not known',
      [[match({ payload: { protocol: 'ip', field: 'length' } }, 100, '<'), drop]],
      'unknown: base 1, policy of base',
    ],
    [
      'a rewritten port is not followed',
      [[{ mangle: { key: { payload: { protocol: 'tcp', field: 'dport' } }, value: 80 } }]],
      'unknown: base 1, policy of base',
    ],
    [
      'a rewritten TTL is of no interest',
      [[{ mangle: { key: { payload: { protocol: 'ip', field: 'ttl' } }, value: 1 } }]],
      'pass: policy of base',
    ],
    ['an open match that nothing depends on', [[xt, counter]], 'unknown: base 1, policy of base'],
  ])('%s', (_, rules, expected) => {
    expect(outcome(rules, { ...toSsh, mark: 4 }, { other: [[{ return: null }, drop]] })).toBe(expected);
  });

  test('say of each end what was supposed', () => {
    const { ends } = walkNative(
      tableOn('input', [[xt, { limit: { rate: 3, burst: 10, per: 'minute' } }, drop]]),
      toSsh,
    );
    expect(ends.map(({ assumptions }) => assumptions)).toContainEqual([
      expect.objectContaining({ kind: 'unknown', reason: 'xt match string' }),
    ]);
    const limit = walkNative(
      tableOn('input', [[{ limit: { rate: 3, burst: 10, per: 'minute' } }, drop]]),
      toSsh,
    );
    expect(limit.ends.map(({ assumptions }) => assumptions)).toMatchObject(
      [0, 1].map(() => [{ kind: 'chance', reason: 'limit rate 3/minute burst 10 packets' }]),
    );
  });

  test('notrack before conntrack makes packets untracked', () => {
    const raw = tableOn('prerouting', [[sourceIs, { notrack: null }]], { prio: -300 });
    const filter = tableOn('input', [[match({ ct: { key: 'state' } }, 'untracked', 'in'), drop]]).slice(1);
    expect(walkNative([...raw, ...renamed(filter)], toSsh).verdict).toBe('drop');
    expect(walkNative([...raw, ...renamed(filter)], { ...toSsh, source: '192.0.2.8' }).verdict).toBe('pass');
  });
});

function renamed(objects: readonly unknown[]): readonly unknown[] {
  return JSON.parse(JSON.stringify(objects).replaceAll('"base"', '"second"'));
}

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

test('a recording of all kinds of statements is walked without a fault', () => {
  const { verdict, ends } = walkNative(recordedTables('statements-of-many-kinds'), toSsh);
  expect(verdict).toBe('pass');
  // It is made untracked before conntrack sees it.
  expect(ends.map(decider)).toEqual(['input 2']);
});
