import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jumpValue, optionValue, parseRule, printRule, withoutCounters } from '../../src/netfilter/rule.ts';
import { arbitraryRule } from './arbitrary-rules.ts';
import { linesOf, recordedDumps, rulesetOf } from './recorded-dumps.ts';

function reprint(line: string): string | undefined {
  const rule = parseRule(line);
  return rule && printRule(rule);
}

/** Matches that iptables spells in a way of their own: always quoted, or after two spaces. */
const oddSpelling = / --(string|hex-string|u32|bytecode) "| {2}/;

const recordedLines = recordedDumps().flatMap(({ text }) => {
  const ruleset = rulesetOf(text);
  return [...ruleset.tables.values()].flatMap((table) => linesOf(ruleset, table));
});

test('every recorded rule is printed as it was read', () => {
  const lines = recordedLines.filter((line) => !oddSpelling.test(line));
  expect(lines.length).toBeGreaterThan(2500);
  expect(lines.filter((line) => reprint(line) !== line)).toEqual([]);
});

// Values that are quoted though they need not be, and a double space, are not kept yet.
test('recorded matches with a spelling of their own are printed as they were read', () => {
  const lines = recordedLines.filter((line) => oddSpelling.test(line));
  expect(lines.filter((line) => reprint(line) !== line)).toEqual([]);
});

test('any rule comes back from its own print, hostile comments and unknown matches included', () => {
  fc.assert(
    fc.property(arbitraryRule, (rule) => {
      expect(parseRule(printRule(rule))).toEqual(rule);
    }),
    { numRuns: 600 },
  );
});

test('no text makes the parser throw', () => {
  const pieces = fc.constantFrom('-A', ' ', '"', '\\', '-j', '[1:2]', '!', '--comment', 'X', '\n', '[', ']');
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (line) => {
      const rule = parseRule(line);
      if (rule) printRule(rule);
      expect(line.endsWith(withoutCounters(line))).toBe(true);
    }),
    { numRuns: 600 },
  );
});

test('a comment that looks like a target is a comment', () => {
  const line = '-A INPUT -m comment --comment -j -j ACCEPT';
  const rule = parseRule(line);
  expect(rule && optionValue(rule, '--comment')).toBe('-j');
  expect(rule?.jump).toEqual({ kind: 'jump', target: 'ACCEPT', options: [] });
  expect(reprint(line)).toBe(line);
});

test('a target inside a quoted comment is not the target of the rule', () => {
  const rule = parseRule('-A INPUT -m comment --comment "a\\\\b \\"c\\" -j ACCEPT" -j DROP');
  expect(rule && optionValue(rule, '--comment')).toBe('a\\b "c" -j ACCEPT');
  expect(rule?.jump?.target).toBe('DROP');
});

test('a rule without a target counts packets and has no jump', () => {
  const rule = parseRule('[7:420] -A KUBE-FW-X -m comment --comment "other traffic"');
  expect(rule).toMatchObject({ chain: 'KUBE-FW-X', counters: { packets: 7n, bytes: 420n }, jump: undefined });
});

test('a negated option has no value to match by', () => {
  const rule = parseRule(
    '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate DNAT -j DROP',
  );
  expect(rule && optionValue(rule, '-s')).toBeUndefined();
  expect(rule && optionValue(rule, '-d')).toBe('127.0.0.0/8');
  expect(rule?.options.filter(({ negated }) => negated).map(({ name }) => name)).toEqual(['-s', '--ctstate']);
});

test('options behind the target belong to the target', () => {
  const rule = parseRule('-A KUBE-SEP-X -p tcp -m tcp -j DNAT --to-destination 10.42.0.5:8080');
  expect(rule && jumpValue(rule, '--to-destination')).toBe('10.42.0.5:8080');
  expect(rule && optionValue(rule, '--to-destination')).toBeUndefined();
});

test('a goto is not a jump', () => {
  expect(parseRule('-A INPUT -g f2b-sshd')?.jump).toEqual({ kind: 'goto', target: 'f2b-sshd', options: [] });
});

test.each([
  ['a quote that does not end', '-A INPUT -m comment --comment "abc -j DROP'],
  ['an insertion', '-I INPUT -j DROP'],
  ['no chain', '-A'],
  ['a chain declaration', ':INPUT ACCEPT [0:0]'],
  ['nothing', ''],
])('%s is not a rule', (_what, line) => {
  expect(parseRule(line)).toBeUndefined();
});

test('counters are cut off in front, and only there', () => {
  expect(withoutCounters('[1:60] -A INPUT -j DROP')).toBe('-A INPUT -j DROP');
  expect(withoutCounters('-A INPUT -m comment --comment "[1:60] x" -j DROP')).toBe(
    '-A INPUT -m comment --comment "[1:60] x" -j DROP',
  );
});
