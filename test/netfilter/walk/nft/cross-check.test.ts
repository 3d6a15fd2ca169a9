import { describe, expect, test } from 'vitest';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import type { FirewallReading } from '../../../../src/netfilter/walk/reading.ts';
import { readingOf, tableText, toSsh, walkOver } from '../node-of.ts';
import { decider, onlyEnd, toPort } from './native-node.ts';
import { accept, counter, ct, drop, match, port, source, xt } from './rule-parts.ts';

const mark = { '&': [{ meta: { key: 'mark' } }, 1] };

/** The same chain INPUT as iptables-nft-save prints it and as nft lists it; its policy is DROP. */
function node(
  saved: readonly string[],
  listed: readonly (readonly unknown[])[],
  more: readonly unknown[] = [],
) {
  const place = { family: 'ip', table: 'filter' };
  const base = { type: 'filter', hook: 'input', prio: 0, policy: 'drop' };
  const objects = [
    { table: { family: 'ip', name: 'filter', handle: 1 } },
    { chain: { ...place, name: 'INPUT', handle: 1, ...base } },
    ...listed.map((expr) => ({ rule: { ...place, chain: 'INPUT', handle: 2, expr } })),
    ...more,
  ];
  const reading: FirewallReading = {
    ...readingOf({ nft: tableText('filter', saved, { INPUT: 'DROP' }) }),
    nft: { kind: 'present', objects },
  };
  return (packet: Packet) => {
    const { verdict, ends } = walkOver(reading, packet);
    return `${verdict}: ${ends.map(decider).sort().join(', ')}`;
  };
}

const stranger: Packet = { ...toSsh, source: '198.51.100.1' };

describe('what iptables-nft-save prints is held against what nft lists', () => {
  test('a set that is left out of the text is asked', () => {
    const walk = node(['-A INPUT -j ACCEPT'], [[match(source, { set: ['192.0.2.7', '192.0.2.8'] }), accept]]);
    expect(walk(toSsh)).toBe('pass: INPUT 1');
    expect(walk(stranger)).toBe('drop: policy of INPUT');
  });

  test('so are ranges of addresses, of which the text has the last', () => {
    const walk = node(
      ['-A INPUT -s 192.0.2.9/32 -j ACCEPT'],
      [[match(source, { range: ['192.0.2.4', '192.0.2.9'] }), accept]],
    );
    expect(walk(toSsh)).toBe('pass: INPUT 1');
  });

  test('the rule is told as nft lists it then, and as printed where that is right', () => {
    const rule = (saved: string, listed: readonly unknown[]) => {
      const reading = {
        ...readingOf({ nft: tableText('filter', [saved], { INPUT: 'DROP' }) }),
        nft: {
          kind: 'present',
          objects: [{ rule: { family: 'ip', table: 'filter', chain: 'INPUT', expr: listed } }],
        },
      } as const;
      const { decidedBy } = onlyEnd(walkOver(reading, toSsh));
      return decidedBy.kind === 'rule' ? decidedBy.rule : undefined;
    };
    expect(
      rule('-A INPUT -j ACCEPT', [match(source, { set: ['192.0.2.7'] }), counter, accept]),
    ).toMatchObject({
      backend: 'nft',
      family: 'ipv4',
      table: 'filter',
      chain: 'INPUT',
      number: 1,
      text: 'ip saddr { 192.0.2.7 } counter accept',
    });
    const plain = '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT';
    expect(rule(plain, [match(port, 22), counter, accept])).toMatchObject({ number: 1, text: plain });
  });

  test('a match that an old version left out of a rule with others is asked, too', () => {
    const walk = node(
      ['-A INPUT -m comment --comment marked -j ACCEPT'],
      [[match(mark, 1), xt('comment'), counter, accept]],
    );
    expect(walk({ ...toSsh, mark: 3 })).toBe('pass: INPUT 1');
    expect(walk({ ...toSsh, mark: 2 })).toBe('drop: policy of INPUT');
  });

  test('what only iptables understands is asked as printed', () => {
    const walk = node(
      ['-A INPUT -p tcp -m multiport --dports 22,23 -j ACCEPT'],
      [[match({ meta: { key: 'l4proto' } }, 'tcp'), xt('multiport'), counter, accept]],
    );
    expect(walk(toSsh)).toBe('pass: INPUT 1');
    expect(walk(toPort(toSsh, 24))).toBe('drop: policy of INPUT');
  });

  test('with another number of rules nothing is known of the chain', () => {
    const walk = node(['-A INPUT -j ACCEPT'], [[accept], [drop]]);
    expect(walk(toSsh)).toBe('unknown: INPUT 0, INPUT 0, policy of INPUT');
  });

  test('a chain that was not listed is as printed, and so is a rule that a plan would add', () => {
    const elsewhere = { table: { family: 'ip', name: 'filter' } };
    const reading = (objects: readonly unknown[]) => ({
      ...readingOf({ nft: tableText('filter', ['-A INPUT -j ACCEPT'], { INPUT: 'DROP' }) }),
      nft: { kind: 'present', objects } as const,
    });
    expect(walkOver(reading([]), toSsh).verdict).toBe('pass');
    expect(walkOver(reading([elsewhere]), toSsh).verdict).toBe('pass');
    expect(node(['-A INPUT -j ACCEPT'], [[]])(toSsh)).toBe('pass: INPUT 1');
  });

  test('chains that iptables would not make are not in its dump, and are walked', () => {
    const extra = { family: 'ip', table: 'filter', name: 'mine', type: 'filter', hook: 'input', prio: -10 };
    const rule = { family: 'ip', table: 'filter', chain: 'mine', expr: [match(port, 22), drop] };
    const walk = node(['-A INPUT -j ACCEPT'], [[accept]], [{ chain: extra }, { rule }]);
    expect(walk(toSsh)).toBe('drop: mine 1');
    expect(walk(toPort(toSsh, 23))).toBe('pass: INPUT 1');
  });

  test('a table that the tool refuses to print is walked as nft lists it', () => {
    const dump = "# Table `filter' is incompatible, use 'nft' tool.\n";
    const rule = {
      family: 'ip',
      table: 'filter',
      chain: 'INPUT',
      expr: [match(ct('state'), 'new', 'in'), drop],
    };
    const base = {
      family: 'ip',
      table: 'filter',
      name: 'INPUT',
      type: 'filter',
      hook: 'input',
      prio: 0,
      policy: 'accept',
    };
    const objects = [{ table: { family: 'ip', name: 'filter' } }, { chain: base }, { rule }];
    const reading: FirewallReading = { ...readingOf({ nft: dump }), nft: { kind: 'present', objects } };
    expect(onlyEnd(walkOver(reading, toSsh)).decidedBy).toMatchObject({
      rule: { backend: 'nft', table: 'filter', chain: 'INPUT', number: 1 },
    });
    expect(walkOver(reading, { ...toSsh, state: 'ESTABLISHED' }).verdict).toBe('pass');
  });
});
