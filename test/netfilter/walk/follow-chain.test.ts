import { expect, test } from 'vitest';
import type { Walk } from '../../../src/netfilter/walk/walk.ts';
import { readingOf, tableText, toSsh, walkOver } from './node-of.ts';

const backends = ['legacy', 'nft'] as const;

function filter(rules: readonly string[], input = 'ACCEPT') {
  return tableText('filter', rules, { INPUT: input, FORWARD: 'ACCEPT', OUTPUT: 'ACCEPT' });
}

function toNode(backend: (typeof backends)[number], rules: readonly string[], input?: string): Walk {
  return walkOver(readingOf({ [backend]: filter(rules, input) }), toSsh);
}

const decisions = ({ ends }: Walk) =>
  ends.map(({ fate, decidedBy }) =>
    decidedBy.kind === 'rule'
      ? `${fate} ${decidedBy.rule.chain} ${decidedBy.rule.number}`
      : `${fate} ${decidedBy.kind}`,
  );

for (const backend of backends) {
  test(`${backend}: the first rule with a verdict decides`, () => {
    const walk = toNode(backend, [
      '-A INPUT -p udp -j DROP',
      '-A INPUT -p tcp -j ACCEPT',
      '-A INPUT -j DROP',
    ]);
    expect(decisions(walk)).toEqual(['pass INPUT 2']);
    expect(walk.ends[0]?.path).toMatchObject([
      { hook: 'input', action: 'accept', rule: { backend, number: 2 } },
    ]);
  });

  test(`${backend}: a chain that ends goes back to the rule behind the jump`, () => {
    const walk = toNode(backend, ['-A INPUT -j A', '-A INPUT -j DROP', '-A A -p udp -j ACCEPT']);
    expect(decisions(walk)).toEqual(['drop INPUT 2']);
    expect(walk.ends[0]?.path.map(({ action }) => action)).toEqual(['drop']);
  });

  test(`${backend}: RETURN goes back to the caller`, () => {
    const walk = toNode(backend, ['-A INPUT -j A', '-A INPUT -j DROP', '-A A -j RETURN', '-A A -j ACCEPT']);
    expect(decisions(walk)).toEqual(['drop INPUT 2']);
  });

  test(`${backend}: RETURN from a built-in chain is its policy`, () => {
    expect(decisions(toNode(backend, ['-A INPUT -j RETURN', '-A INPUT -j ACCEPT'], 'DROP'))).toEqual([
      'drop policy',
    ]);
    expect(toNode(backend, ['-A INPUT -j RETURN', '-A INPUT -j DROP']).verdict).toBe('pass');
  });

  test(`${backend}: what was entered by a goto goes back to the caller of the chain before`, () => {
    const rules = [
      '-A INPUT -j A',
      '-A INPUT -j DROP',
      '-A A -g B',
      '-A A -j ACCEPT',
      '-A B -p udp -j ACCEPT',
    ];
    expect(decisions(toNode(backend, rules))).toEqual(['drop INPUT 2']);
  });

  test(`${backend}: a goto from a built-in chain ends with its policy`, () => {
    const rules = ['-A INPUT -g A', '-A INPUT -j ACCEPT', '-A A -p udp -j ACCEPT'];
    expect(decisions(toNode(backend, rules, 'DROP'))).toEqual(['drop policy']);
    expect(decisions(toNode(backend, [...rules, '-A A -j RETURN'], 'DROP'))).toEqual(['drop policy']);
  });
}

test('a packet has to pass both backends', () => {
  const accepts = filter(['-A INPUT -j ACCEPT']);
  const drops = filter(['-A INPUT -p tcp -j DROP']);
  expect(walkOver(readingOf({ legacy: accepts, nft: drops }), toSsh).verdict).toBe('drop');
  expect(walkOver(readingOf({ legacy: drops, nft: accepts }), toSsh).verdict).toBe('drop');
  expect(walkOver(readingOf({ legacy: accepts, nft: accepts }), toSsh).verdict).toBe('pass');
});

test('what only logs or counts leaves no trace, whether its limit is reached or not', () => {
  const { verdict, ends } = toNode('nft', [
    '-A INPUT -m limit --limit 3/min -j A',
    '-A INPUT -m recent --rcheck --name x --rsource -j LOG --log-prefix "[x] "',
    '-A INPUT -m string --string foo --algo bm',
    '-A INPUT -j ACCEPT',
    '-A A -j LOG',
    '-A A -j NFLOG --nflog-group 3',
  ]);
  expect(verdict).toBe('pass');
  expect(ends).toHaveLength(1);
  expect(ends[0]).toMatchObject({ assumptions: [], path: [{ action: 'accept' }] });
});

test('a limit that decides leaves two ends, each with what was supposed', () => {
  const walk = toNode('nft', ['-A INPUT -m limit --limit 3/min -j ACCEPT', '-A INPUT -j DROP']);
  expect(walk.verdict).toBe('depends');
  expect(decisions(walk)).toEqual(['pass INPUT 1', 'drop INPUT 2']);
  for (const { assumptions } of walk.ends)
    expect(assumptions).toMatchObject([
      { kind: 'chance', reason: 'limit: limit 3/min', rule: { number: 1 } },
    ]);
});

test('a condition that is not understood makes the walk unknown only where it decides', () => {
  const open = '-A INPUT -m string --string foo --algo bm -j';
  expect(toNode('nft', [`${open} DROP`, '-A INPUT -j DROP']).verdict).toBe('drop');
  expect(toNode('nft', ['-A INPUT -p udp -m string --string foo --algo bm -j DROP']).verdict).toBe('pass');
  const walk = toNode('nft', [`${open} DROP`]);
  expect(walk.verdict).toBe('unknown');
  expect(walk.ends.flatMap(({ assumptions }) => assumptions)).toMatchObject([
    {
      kind: 'unknown',
      reason: 'match -m string --string is not understood',
      rule: { chain: 'INPUT', number: 1 },
    },
    { kind: 'unknown' },
  ]);
});

test('a target that is not understood may do anything', () => {
  const walk = toNode('nft', ['-A INPUT -j TARPIT --tarpit', '-A INPUT -j DROP']);
  expect(walk.verdict).toBe('unknown');
  expect(walk.ends.map(({ fate }) => fate).sort()).toEqual(['drop', 'drop', 'pass']);
});

test('the same rule asked twice has two outcomes each time', () => {
  const rules = ['-A INPUT -j A', '-A INPUT -m mark --mark 0x1 -j A', '-A INPUT -m mark --mark 0x3 -j DROP'];
  const walk = toNode('nft', [
    ...rules,
    '-A A -m statistic --mode random --probability 0.50000000000 -j B',
    '-A B -m mark --mark 0x1 -j MARK --set-xmark 0x2/0x2',
    '-A B -j MARK --set-xmark 0x1/0x1',
  ]);
  expect(walk.verdict).toBe('depends');
  expect(walk.ends.map(({ fate, packet }) => `${fate} ${packet.mark}`)).toEqual([
    'drop 3',
    'pass 1',
    'pass 0',
  ]);
});

test('what is not known the first time is a question of its own the second time', () => {
  const flips = '-A A -m string --string x --algo bm -j MARK --set-xmark 0x1/0x0';
  const walk = toNode('nft', [
    '-A INPUT -j A',
    '-A INPUT -j A',
    '-A INPUT -m mark --mark 0x1 -j DROP',
    flips,
  ]);
  expect(walk.verdict).toBe('unknown');
  expect(walk.ends.map(({ assumptions }) => assumptions.length)).toEqual([1, 1]);
});

test('rules that run in a circle end as unknown', () => {
  const walk = toNode('nft', ['-A INPUT -j A', '-A A -g B', '-A B -g A']);
  expect(walk.verdict).toBe('unknown');
  expect(walk.ends.flatMap(({ assumptions }) => assumptions)[0]?.reason).toMatch(/deeper than 512 chains/);
});

test('more ways than can be followed end as unknown', () => {
  const marks = Array.from(
    { length: 20 },
    (_, i) =>
      `-A INPUT -m limit --limit 1/sec -j MARK --set-xmark 0x${(1 << i).toString(16)}/0x${(1 << i).toString(16)}`,
  );
  const walk = toNode('nft', marks);
  expect(walk.verdict).toBe('unknown');
  expect(walk.ends.flatMap(({ assumptions }) => assumptions)[0]?.reason).toMatch(/more than 4096 ways/);
});

test('in a long chain the rules for an address are found, in order with those for any', () => {
  const others = Array.from({ length: 50 }, (_, i) => `-A INPUT -d 192.0.2.${i + 100}/32 -j DROP`);
  const rules = (more: readonly string[]) => [...others.slice(0, 25), ...more, ...others.slice(25)];
  const own = '-A INPUT -d 192.0.2.1/32 -p tcp -j ACCEPT';
  expect(decisions(toNode('nft', rules([own]), 'DROP'))).toEqual(['pass INPUT 26']);
  expect(decisions(toNode('nft', rules(['-A INPUT -p tcp -j REJECT', own]), 'DROP'))).toEqual([
    'reject INPUT 26',
  ]);
  expect(decisions(toNode('nft', rules([own, '-A INPUT -j REJECT']), 'DROP'))).toEqual(['pass INPUT 26']);
  expect(decisions(toNode('nft', rules(['-A INPUT ! -d 192.0.2.1/32 -j ACCEPT']), 'DROP'))).toEqual([
    'drop policy',
  ]);
  const text = '-A INPUT -m comment --comment " -d 192.0.2.9/32 " -j ACCEPT';
  expect(decisions(toNode('nft', rules([text]), 'DROP'))).toEqual(['pass INPUT 26']);
});
