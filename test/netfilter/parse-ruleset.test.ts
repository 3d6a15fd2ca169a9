import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRuleset } from '../../src/netfilter/parse-ruleset.ts';
import { declarationLine, isBuiltIn, type Ruleset, ruleLines } from '../../src/netfilter/ruleset.ts';
import { recordedDumps, rulesetOf, tableOf } from './recorded-dumps.ts';

/** A ruleset as text again, without what iptables-save says about itself. */
function print(ruleset: Ruleset): string {
  return [...ruleset.tables.values()]
    .flatMap(({ name, chains }) => [
      `*${name}`,
      ...[...chains.values()].map((chain) => declarationLine(ruleset, chain)),
      ...[...chains.values()].flatMap((chain) => [...ruleLines(ruleset, chain)]),
      'COMMIT',
    ])
    .join('\n');
}

function withoutRemarks(text: string): string {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .join('\n');
}

test.each(recordedDumps())('$name: every table, chain and rule is kept, in its order', ({ text }) => {
  expect(print(rulesetOf(text))).toBe(withoutRemarks(text));
});

test('a recorded dump cut after any line is unparsable, or whole up to a COMMIT', () => {
  for (const { text } of recordedDumps()) {
    const lines = text.split('\n');
    for (let kept = 0; kept < lines.length; kept++) {
      const cut = lines.slice(0, kept);
      const parsed = parseRuleset(cut.join('\n'));
      const isWhole = cut.findLast((line) => line !== '' && !line.startsWith('#')) ?? 'COMMIT';
      expect(parsed.kind).toBe(isWhole === 'COMMIT' ? 'parsed' : 'unparsable');
    }
  }
});

test('a dump cut within a line is unparsable', () => {
  const text = '*nat\n:OUTPUT ACCEPT [0:0]\n:X - [0:0]\n-A X -j ACCEPT\nCOMMIT\n';
  const end = text.indexOf('COMMIT') + 'COMMIT'.length;
  for (let kept = 1; kept < end; kept++) expect(parseRuleset(text.slice(0, kept)).kind).toBe('unparsable');
  expect(parseRuleset(text.slice(0, end)).kind).toBe('parsed');
});

test('no text makes the parser throw, and what it takes it can give back', () => {
  const line = fc.constantFrom(
    ...[
      '*nat',
      '*filter',
      'COMMIT',
      '',
      '# remark',
      ':OUTPUT ACCEPT [0:0]',
      ':X - [1:2]',
      ':X - [0:0]',
      '-A X -j Y',
    ],
    ...['[1:2] -A OUTPUT -j X', '[1:2 -A X', '-A', '-A Z', '[', ':', ':X', '-I X', 'X', '*', '* x', '-A X\r'],
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(line, { maxLength: 12 }).map((all) => all.join('\n')),
  );
  fc.assert(
    fc.property(text, (dump) => {
      const parsed = parseRuleset(dump);
      if (parsed.kind !== 'parsed') return;
      const sorted = (all: string) => withoutRemarks(all).split('\n').sort();
      expect(sorted(print(parsed.ruleset))).toEqual(sorted(dump));
    }),
    { numRuns: 1000 },
  );
});

describe('what is not a whole dump is refused, with the line', () => {
  test.each([
    [
      'a line of something else',
      '*nat\n:X - [0:0]\niptables-save v1.8.9\nCOMMIT\n',
      3,
      'not a line that iptables-save writes',
    ],
    [
      'a rule for a chain that is not declared',
      '*nat\n-A X -j ACCEPT\nCOMMIT\n',
      2,
      'chain X, which is not declared',
    ],
    ['a rule outside a table', '-A X -j ACCEPT\n', 1, 'outside a table'],
    ['a chain outside a table', ':X - [0:0]\n', 1, 'outside a table'],
    ['a COMMIT too many', '*nat\nCOMMIT\nCOMMIT\n', 3, 'outside a table'],
    ['a table within a table', '*nat\n*filter\nCOMMIT\n', 2, 'begins inside table nat'],
    ['a table that comes twice', '*nat\nCOMMIT\n*nat\nCOMMIT\n', 3, 'there twice'],
    ['a chain that comes twice', '*nat\n:X - [0:0]\n:X - [0:0]\nCOMMIT\n', 3, 'declared twice'],
    ['a declaration without counters', '*nat\n:X -\nCOMMIT\n', 2, 'expected ":CHAIN POLICY'],
    ['an insertion', '*nat\n:X - [0:0]\n-I X -j ACCEPT\nCOMMIT\n', 3, 'expected "-A CHAIN'],
    ['counters without an end', '*nat\n:X - [0:0]\n[1:2\nCOMMIT\n', 3, 'counters without an end'],
    [
      'a comment with a line break',
      '*nat\n:X - [0:0]\n-A X -m comment --comment "a\nb"\nCOMMIT\n',
      4,
      'not a line',
    ],
    ['no COMMIT at the end', '*nat\n:X - [0:0]\n', 2, 'before its COMMIT'],
  ])('%s', (_what, text, line, reason) => {
    const parsed = parseRuleset(text);
    expect(parsed).toMatchObject({ kind: 'unparsable', line });
    expect(parsed).toHaveProperty('reason', expect.stringContaining(reason));
  });
});

test('a line that is shown as evidence is never longer than a person can read', () => {
  expect(parseRuleset(`*nat\n${'x'.repeat(5000)}`)).toHaveProperty('text', 'x'.repeat(200));
});

test('tables that only nft can print are named, and the others are read', () => {
  const { tables, unreadable } = rulesetOf(
    "# Table `nat' is incompatible, use 'nft' tool.\n*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n",
  );
  expect(unreadable).toEqual(['nat']);
  expect([...tables.keys()]).toEqual(['filter']);
});

test('an empty dump has no tables', () => {
  expect(rulesetOf('').tables.size).toBe(0);
});

test('rules that are not grouped by chain are found all the same, in order', () => {
  const ruleset = rulesetOf(
    '*nat\n:A - [0:0]\n:B - [0:0]\n-A A -j X\n-A B -j X\n[1:2] -A A -j Y\n-A A -j Z\nCOMMIT\n',
  );
  const chain = tableOf(ruleset, 'nat').chains.get('A');
  expect(chain && [...ruleLines(ruleset, chain)]).toEqual(['-A A -j X', '[1:2] -A A -j Y', '-A A -j Z']);
  expect(chain?.ruleCount).toBe(3);
});

test('a chain is built in when it has a policy', () => {
  const { chains } = tableOf(rulesetOf('*nat\n:OUTPUT DROP [3:180]\n:X - [0:0]\nCOMMIT\n'), 'nat');
  expect([...chains.values()].map((chain) => [chain.name, isBuiltIn(chain)])).toEqual([
    ['OUTPUT', true],
    ['X', false],
  ]);
});
