import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addToFingerprint, fingerprintOf } from '../../src/netfilter/fingerprint.ts';
import { readingOf, recordedDumps, rulesetOf } from './recorded-dumps.ts';

function fingerprint(lines: readonly string[]): number {
  return lines.reduce(addToFingerprint, 0);
}

test('both readers of a dump give a chain the same fingerprint', () => {
  for (const { text } of recordedDumps()) {
    const ruleset = rulesetOf(text);
    for (const { name, chains } of ruleset.tables.values()) {
      for (const { name: chain, fingerprint: read } of readingOf(text, name).owned.values()) {
        const parsed = chains.get(chain);
        expect(parsed && fingerprintOf(ruleset, parsed)).toBe(read);
      }
    }
  }
});

test('counters do not matter, every other change does: another rule, order, or number of rules', () => {
  const line = fc.stringMatching(/^-A X [a-z0-9./ -]{1,30}$/);
  fc.assert(
    fc.property(fc.uniqueArray(line, { minLength: 2 }), fc.nat(), (lines, at) => {
      const before = fingerprint(lines);
      expect(fingerprint(lines.map((each, i) => `[${i}:${i * 60}] ${each}`))).toBe(before);
      const [first = '', second = '', ...rest] = lines;
      const changed = lines.with(at % lines.length, '-A X -j SOMETHING-ELSE');
      const others = [
        [second, first, ...rest],
        lines.slice(1),
        [...lines, first],
        [first, ...lines],
        changed,
      ];
      for (const other of others) expect(fingerprint(other)).not.toBe(before);
    }),
  );
});
