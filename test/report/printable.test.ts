import { expect, test } from 'vitest';
import { printable } from '../../src/report/printable.ts';

test.each([
  ['plain text, a\ttab\nand umlauts: ä', 'plain text, a\ttab\nand umlauts: ä'],
  ['\u001b[2Aup and away', '\ufffd[2Aup and away'],
  ['over\rwritten', 'over\ufffdwritten'],
  ['\u009b31m', '\ufffd31m'],
  ['right \u202eto left\u2069', 'right \ufffdto left\ufffd'],
])('%j', (text, shown) => {
  expect(printable(text)).toBe(shown);
});
