import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wrap } from '../../src/report/wrap.ts';

test('a line breaks at the last space that fits, and goes on indented', () => {
  expect(wrap('one two three four', 9, '  ')).toBe('one two\n  three\n  four');
});

test('a word that is too long stays whole', () => {
  expect(wrap('a KUBE-SVC-CDGGSHYLG3RE2FKL b', 10, '  ')).toBe('a\n  KUBE-SVC-CDGGSHYLG3RE2FKL\n  b');
});

test('what fits is left as it is', () => {
  expect(wrap('exactly10!', 10, '  ')).toBe('exactly10!');
  expect(wrap('', 10, '  ')).toBe('');
});

test('no word is lost and no line too long', () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 });
  fc.assert(
    fc.property(words, fc.integer({ min: 20, max: 100 }), (all, width) => {
      const lines = wrap(all.join(' '), width, '    ').split('\n');
      expect(lines.flatMap((line) => line.trim().split(' '))).toEqual(all);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    }),
  );
});
