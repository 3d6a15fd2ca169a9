import { describe, expect, test } from 'vitest';
import {
  assertRemovable,
  compareAfterRemoval,
  printRemoval,
  type Removal,
  removalDigest,
} from '../../src/netfilter/removal.ts';
import type { Ruleset } from '../../src/netfilter/ruleset.ts';
import { readingOf, rulesetOf } from './recorded-dumps.ts';

const jump = '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES';
const own = '-A OUTPUT -d 192.0.2.1/32 -j RETURN';
const removal: Removal = {
  table: 'nat',
  chains: ['KUBE-SERVICES', 'KUBE-MARK-MASQ'],
  rules: [{ chain: 'OUTPUT', line: jump }],
};

interface Nat {
  readonly policy?: string;
  readonly output?: readonly string[];
  readonly services?: readonly string[];
  readonly chains?: readonly string[];
}

function nat({
  policy = 'ACCEPT',
  output = [own, jump],
  services = [],
  chains = ['KUBE-SERVICES', 'KUBE-MARK-MASQ'],
}: Nat): Ruleset {
  return rulesetOf(
    [
      '*nat',
      `:OUTPUT ${policy} [0:0]`,
      ...chains.map((name) => `:${name} - [0:0]`),
      ...output,
      ...services,
      'COMMIT\n',
    ].join('\n'),
  );
}

const before = nat({});
const gone = { output: [own], chains: [] };

test('a batch declares the chains, deletes the rules that lead there, then deletes the chains', () => {
  expect(printRemoval(removal)).toBe(
    [
      '*nat',
      ':KUBE-SERVICES - [0:0]',
      ':KUBE-MARK-MASQ - [0:0]',
      '-D OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      '-X KUBE-SERVICES',
      '-X KUBE-MARK-MASQ',
      'COMMIT',
      '',
    ].join('\n'),
  );
});

test('a -A inside a comment stays as it is', () => {
  const line = '-A OUTPUT -m comment --comment "-A OUTPUT" -j KUBE-SERVICES';
  expect(printRemoval({ table: 'nat', chains: [], rules: [{ chain: 'OUTPUT', line }] })).toContain(
    '\n-D OUTPUT -m comment --comment "-A OUTPUT" -j KUBE-SERVICES\n',
  );
});

test('a removal that names a built-in chain is a bug and throws', () => {
  expect(() => assertRemovable({ ...removal, chains: ['OUTPUT'] }, before)).toThrow(
    'built-in chain nat/OUTPUT',
  );
  expect(() => assertRemovable(removal, before)).not.toThrow();
});

describe('the digest of what would be destroyed', () => {
  const digest = ({ text }: Ruleset) => {
    const { owned } = readingOf(text, 'nat');
    return removalDigest(removal, (name) => owned.get(name)?.fingerprint);
  };
  const filled = nat({
    services: ['[1:60] -A KUBE-SERVICES -j RETURN', '-A KUBE-SERVICES -d 10.43.0.1/32 -j RETURN'],
  });

  test('does not change while packets flow, or elsewhere in the table', () => {
    const later = nat({
      output: [jump],
      services: ['[9:540] -A KUBE-SERVICES -j RETURN', '-A KUBE-SERVICES -d 10.43.0.1/32 -j RETURN'],
    });
    expect(digest(later)).toBe(digest(filled));
  });

  test.each([
    [
      'a rule more',
      {
        services: [
          '-A KUBE-SERVICES -j RETURN',
          '-A KUBE-SERVICES -d 10.43.0.1/32 -j RETURN',
          '-A KUBE-SERVICES -j DROP',
        ],
      },
    ],
    [
      'another order',
      { services: ['-A KUBE-SERVICES -d 10.43.0.1/32 -j RETURN', '-A KUBE-SERVICES -j RETURN'] },
    ],
    ['a rule less', { services: ['-A KUBE-SERVICES -j RETURN'] }],
    ['an empty chain', {}],
    ['no chain', { chains: ['KUBE-SERVICES'] }],
  ])('changes with %s', (_what, change: Nat) => {
    expect(digest(nat(change))).not.toBe(digest(filled));
  });
});

describe('a table after its removal', () => {
  const nothing = { remaining: [], lost: [], added: [] };

  test('is as planned when all is gone that should be, and all else is there', () => {
    expect(compareAfterRemoval(removal, before, nat(gone))).toEqual(nothing);
    const counted = nat({ output: [`[5:300] ${own}`, jump] });
    expect(compareAfterRemoval(removal, counted, nat({ ...gone, output: [`[6:360] ${own}`] }))).toEqual(
      nothing,
    );
  });

  test('has chains and rules remaining when nothing happened', () => {
    expect(compareAfterRemoval(removal, before, before)).toEqual({
      ...nothing,
      remaining: [
        { chain: 'KUBE-SERVICES', line: ':KUBE-SERVICES' },
        { chain: 'KUBE-MARK-MASQ', line: ':KUBE-MARK-MASQ' },
        { chain: 'OUTPUT', line: jump },
      ],
    });
  });

  test('has lost what somebody else deleted, or a policy that changed', () => {
    expect(compareAfterRemoval(removal, before, nat({ ...gone, output: [] }))).toEqual({
      ...nothing,
      lost: [{ chain: 'OUTPUT', line: own }],
    });
    expect(compareAfterRemoval(removal, before, nat({ ...gone, policy: 'DROP' }))).toEqual({
      ...nothing,
      lost: [{ chain: 'OUTPUT', line: ':OUTPUT ACCEPT' }],
    });
  });

  test('has lost everything when the table is not there any more', () => {
    const { lost } = compareAfterRemoval(removal, before, rulesetOf('*filter\nCOMMIT\n'));
    expect(lost).toEqual([{ chain: 'OUTPUT', line: ':OUTPUT ACCEPT' }]);
  });

  test('has what others added meanwhile', () => {
    const more = nat({ output: [own, '-A OUTPUT -j KUBE-FIREWALL'], chains: ['KUBE-FIREWALL'] });
    expect(compareAfterRemoval(removal, before, more)).toEqual({
      ...nothing,
      added: [
        { chain: 'OUTPUT', line: '-A OUTPUT -j KUBE-FIREWALL' },
        { chain: 'KUBE-FIREWALL', line: ':KUBE-FIREWALL' },
      ],
    });
  });

  test('has lost a rule that moved behind another', () => {
    const [a, b] = ['-A OUTPUT -s 10.0.0.1/32 -j RETURN', '-A OUTPUT -s 10.0.0.2/32 -j ACCEPT'];
    const { lost } = compareAfterRemoval(
      removal,
      nat({ output: [a, jump, b] }),
      nat({ ...gone, output: [b, a] }),
    );
    expect(lost).not.toEqual([]);
  });

  test('needs each copy of a rule gone that was listed, and no more', () => {
    const twice = nat({ output: [jump, own, jump] });
    const both: Removal = { ...removal, rules: [...removal.rules, ...removal.rules] };
    expect(compareAfterRemoval(both, twice, nat(gone))).toEqual(nothing);
    expect(compareAfterRemoval(both, twice, nat({ ...gone, output: [own, jump] })).remaining).toEqual([
      { chain: 'OUTPUT', line: jump },
    ]);
  });
});
