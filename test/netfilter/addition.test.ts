import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  conflictsWith,
  invertAddition,
  invertRemoval,
  missingFrom,
  printAddition,
} from '../../src/netfilter/addition.ts';
import { compareAfterRemoval, type Removal } from '../../src/netfilter/removal.ts';
import type { Ruleset } from '../../src/netfilter/ruleset.ts';
import { rulesetOf } from './recorded-dumps.ts';

const jump = '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES';
const own = '-A OUTPUT -d 192.0.2.1/32 -j RETURN';
const other = '-A OUTPUT -d 192.0.2.2/32 -j RETURN';
const rules = ['[3:180] -A KUBE-SERVICES -d 10.43.0.1/32 -j KUBE-MARK-MASQ', '-A KUBE-SERVICES -j RETURN'];
const chains = ['KUBE-SERVICES', 'KUBE-MARK-MASQ'];
const removal: Removal = { table: 'nat', chains, rules: [{ chain: 'OUTPUT', line: jump }] };

interface Nat {
  readonly output?: readonly string[];
  readonly services?: readonly string[];
  readonly chains?: readonly string[];
}

function nat({ output = [], services = [], chains: names = chains }: Nat): Ruleset {
  const declared = names.map((name) => `:${name} - [0:0]`);
  return rulesetOf(
    ['*nat', ':OUTPUT ACCEPT [0:0]', ...declared, ...output, ...services, 'COMMIT\n'].join('\n'),
  );
}

const before = nat({ output: [own, `[7:420] ${jump}`, own], services: rules });
const gone = nat({ output: [own, own], chains: [] });
const addition = invertRemoval(removal, before);

describe('what takes a removal back', () => {
  test('declares and fills the chains with their counters, and inserts rules where they were', () => {
    expect(printAddition(addition, gone)).toBe(
      [
        '*nat',
        ':KUBE-SERVICES - [0:0]',
        ':KUBE-MARK-MASQ - [0:0]',
        ...rules,
        '[7:420] -I OUTPUT 2 -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
        'COMMIT',
        '',
      ].join('\n'),
    );
  });

  test('is nothing when all is there', () => {
    expect(printAddition(addition, before)).toBeUndefined();
    expect(missingFrom(addition, before)).toMatchObject({ chains: [], inserts: [] });
  });

  test('puts a rule before the one it stood before, and behind what others wrote since', () => {
    const now = nat({ output: [other, other, own, other, own], chains: [] });
    expect(printAddition(addition, now)).toContain('-I OUTPUT 5 ');
    const first = invertRemoval(removal, nat({ output: [jump, own], services: rules }));
    expect(printAddition(first, nat({ output: [other, own], chains: [] }))).toContain('-I OUTPUT 2 ');
  });

  test('puts it last where nothing that stood behind it is left', () => {
    expect(printAddition(addition, nat({ output: [other], chains: [] }))).toContain('-I OUTPUT 2 ');
  });

  test('has a conflict, by name, with a chain that is there again with other rules', () => {
    const again = nat({ output: [own, own], services: ['-A KUBE-SERVICES -j RETURN'] });
    expect(conflictsWith(addition, again)).toEqual(['chain KUBE-SERVICES is there again, with other rules']);
    expect(conflictsWith(addition, gone)).toEqual([]);
    expect(conflictsWith(addition, before)).toEqual([]);
  });

  test('has a conflict with a chain that is gone and had rules to lead there', () => {
    const parents = {
      table: 'nat',
      chains: [],
      rules: [{ chain: 'MINE', line: '-A MINE -j KUBE-SERVICES' }],
    };
    const then = rulesetOf('*nat\n:OUTPUT ACCEPT [0:0]\n:MINE - [0:0]\n-A MINE -j KUBE-SERVICES\nCOMMIT\n');
    expect(conflictsWith(invertRemoval(parents, then), gone)).toEqual([
      'chain MINE, which had rules that lead there, is gone',
    ]);
  });

  test('adds as many copies of a rule as there are fewer now', () => {
    const twice = nat({ output: [jump, own, jump], services: rules });
    const both: Removal = { ...removal, chains: [], rules: [...removal.rules, ...removal.rules] };
    const batch = printAddition(invertRemoval(both, twice), nat({ output: [jump, own], services: rules }));
    expect(batch?.match(/-I OUTPUT/g)).toHaveLength(1);
  });
});

test('what takes an addition out again is the removal, but for what was there before', () => {
  expect(invertAddition(addition, gone).removal).toEqual(removal);
  expect(invertAddition(addition, before).removal).toEqual({ table: 'nat', chains: [], rules: [] });
});

test('rules taken out of any chain and put back stand where they were', () => {
  const lines = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 12 });
  fc.assert(
    fc.property(lines, fc.func(fc.boolean()), (numbers, isRemoved) => {
      const output = numbers.map((n) => `-A OUTPUT -d 192.0.2.${n}/32 -j RETURN`);
      const taken = new Set(numbers.flatMap((n, i) => (isRemoved(n) ? [i] : [])));
      const removed = output.filter((_, i) => taken.has(i)).map((line) => ({ chain: 'OUTPUT', line }));
      const partial: Removal = { table: 'nat', chains: [], rules: removed };
      const full = nat({ output });
      const rest = nat({ output: output.filter((_, i) => !taken.has(i)) });
      expect(compareAfterRemoval(partial, full, rest)).toEqual({ remaining: [], lost: [], added: [] });
      const batch = printAddition(invertRemoval(partial, full), rest)?.split('\n') ?? [];
      expect(
        replay(
          output.filter((_, i) => !taken.has(i)),
          batch,
        ),
      ).toEqual(output);
    }),
  );
});

/** What the kernel does with `-I CHAIN position rule`. */
function replay(lines: readonly string[], batch: readonly string[]): string[] {
  const result = [...lines];
  for (const line of batch) {
    const [, position, rule] = /^-I OUTPUT (\d+)(.*)$/.exec(line) ?? [];
    if (position !== undefined) result.splice(Number(position) - 1, 0, `-A OUTPUT${rule}`);
  }
  return result;
}
