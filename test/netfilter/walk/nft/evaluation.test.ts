import { describe, expect, test } from 'vitest';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import { toSsh } from '../node-of.ts';
import { tableOn, toPort, walkNative } from './native-node.ts';
import { ct, drop, match, meta, outcome, source, sourceIs, xt } from './rule-parts.ts';

describe('what a rule asks', () => {
  test('before conntrack every packet is invalid', () => {
    const raw = (state: string) =>
      walkNative(tableOn('prerouting', [[match(ct('state'), state, 'in'), drop]], { prio: -300 }), toSsh)
        .verdict;
    expect([raw('new'), raw('invalid')]).toEqual(['pass', 'drop']);
    const mark = [match(ct('mark'), 5, '!='), drop];
    expect(walkNative(tableOn('prerouting', [mark], { prio: -300 }), toSsh).verdict).toBe('pass');
    expect(walkNative(tableOn('prerouting', [mark]), toSsh).verdict).toBe('drop');
  });

  test('an ICMP error is of the connection that it is about', () => {
    const rule = [match(ct('protocol'), 'tcp'), drop];
    const error: Packet = { ...toSsh, state: 'RELATED', transport: { protocol: 'icmp', type: 3, code: 3 } };
    expect(outcome([rule], error)).toBe('unknown: base 1, policy of base');
    expect(outcome([rule], { ...toSsh, state: 'RELATED' })).toBe('drop: base 1');
  });

  test('a link that is not known is not loopback', () => {
    const packet: Packet = { ...toSsh, origin: { kind: 'link', name: undefined } };
    const over = (...names: string[]) => match(meta('iifname'), { set: names });
    expect(outcome([[match(meta('iifname'), 'lo'), drop]], packet)).toBe('pass: policy of base');
    expect(outcome([[match(meta('iif'), 'lo', '!='), drop]], packet)).toBe('drop: base 1');
    expect(outcome([[over('lo'), drop]], packet)).toBe('pass: policy of base');
    expect(outcome([[over('lo', 'eth0'), drop]], packet)).toBe('unknown: base 1, policy of base');
  });

  test('many intervals are searched as few are', () => {
    const ranges = Array.from({ length: 40 }, (_, i) => ({ range: [i * 100, i * 100 + 9] }));
    const isIn = (port: number) => {
      const rule = [
        match({ payload: { protocol: 'tcp', field: 'dport' } }, { set: ranges.toReversed() }),
        drop,
      ];
      return outcome([rule], toPort(toSsh, port)) === 'drop: base 1';
    };
    expect([0, 9, 10, 99, 100, 109, 110, 3900, 3909, 3910, 65535].filter(isIn)).toEqual([
      0, 9, 100, 109, 3900, 3909,
    ]);
  });

  test('long chains are asked for what is for the address', () => {
    const to = (right: unknown, op = '==') =>
      match({ payload: { protocol: 'ip', field: 'daddr' } }, right, op);
    const others = Array.from({ length: 40 }, (_, i) => [to(`10.43.0.${i}`), { accept: null }]);
    expect(outcome([...others, [to('10.43.0.1', '!='), drop]])).toBe('drop: base 41');
    expect(outcome([...others, [match(source, '10.9.9.9'), to(toSsh.destination), drop]])).toBe(
      'pass: policy of base',
    );
    expect(outcome([...others, [sourceIs, to(toSsh.destination), drop]])).toBe('drop: base 41');
    expect(outcome([...others, [to({ prefix: { addr: '192.0.2.0', len: 24 } }), drop]])).toBe(
      'drop: base 41',
    );
  });

  test('say of each end what was supposed', () => {
    const { ends } = walkNative(
      tableOn('input', [[xt('string'), { limit: { rate: 3, burst: 10, per: 'minute' } }, drop]]),
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
    const filter = tableOn('input', [[match(ct('state'), 'untracked', 'in'), drop]]).slice(1);
    expect(walkNative([...raw, ...renamed(filter)], toSsh).verdict).toBe('drop');
    expect(walkNative([...raw, ...renamed(filter)], { ...toSsh, source: '192.0.2.8' }).verdict).toBe('pass');
  });
});

function renamed(objects: readonly unknown[]): readonly unknown[] {
  return JSON.parse(JSON.stringify(objects).replaceAll('"base"', '"second"'));
}
