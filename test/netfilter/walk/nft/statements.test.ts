import { describe, expect, test } from 'vitest';
import { toSsh } from '../node-of.ts';
import { decider, recordedTables, walkNative } from './native-node.ts';
import { accept, counter, ct, drop, half, match, meta, outcome, source, sourceIs, xt } from './rule-parts.ts';

const jump = { jump: { target: 'other' } };
const markTo = (value: unknown) => ({ mangle: { key: meta('mark'), value } });

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
    ['a match of xt is not understood', [[xt('string'), drop]], 'unknown: base 1, policy of base'],
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
      [[{ mangle: { key: ct('mark'), value: meta('mark') } }], [match(ct('mark'), 4), drop]],
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
      'a port by its place',
      [[match({ payload: { base: 'th', offset: 16, len: 16 } }, 22), drop]],
      'drop: base 1',
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
    [
      'of bits that are not all known those that are count',
      [[match({ '&': [ct('status'), ['snat', 'dnat']] }, 0), drop]],
      'drop: base 1',
    ],
    [
      'other bits leave it open',
      [[match(ct('status'), 'confirmed', 'in'), drop]],
      'unknown: base 1, policy of base',
    ],
    [
      'random numbers may begin elsewhere',
      [
        [match({ numgen: { mode: 'inc', mod: 2, offset: 5 } }, 6, '>'), drop],
        [match({ numgen: { mode: 'inc', mod: 2, offset: 5 } }, 4, '>'), drop],
      ],
      'drop: base 2',
    ],
    [
      'untracked too late',
      [[{ notrack: null }], [match(ct('state'), 'untracked', 'in'), drop]],
      'pass: policy of base',
    ],
    ['an open match that nothing depends on', [[xt('string'), counter]], 'unknown: base 1, policy of base'],
  ])('%s', (_, rules, expected) => {
    expect(outcome(rules, { ...toSsh, mark: 4 }, { other: [[{ return: null }, drop]] })).toBe(expected);
  });
});

test('a recording of all kinds of statements is walked without a fault', () => {
  const { verdict, ends } = walkNative(recordedTables('statements-of-many-kinds'), toSsh);
  expect(verdict).toBe('pass');
  // It is made untracked before conntrack sees it.
  expect(ends.map(decider)).toEqual(['input 2']);
});
