import { expect, test } from 'vitest';
import { printDifference } from '../../../src/engine/steps/print-difference.ts';

test.each([
  ['a', 'b', 'is "a", expected "b"'],
  [undefined, { a: 1 }, 'is not there, expected {"a":1}'],
  ['x'.repeat(200), null, `is "${'x'.repeat(99)}…, expected not there`],
  ['same\nold\nsame\n', 'same\nnew\nsame\n', 'line 2 is "old", expected "new"'],
  ['same\n', 'same\nmore\n', 'line 2 is "", expected "more"'],
  ['same\nmore', 'same', 'line 2 is "more", expected not there'],
])('%j, expected %j', (found, expected, words) => {
  expect(printDifference(found, expected)).toBe(words);
});
