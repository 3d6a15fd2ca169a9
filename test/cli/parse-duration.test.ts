import { expect, test } from 'vitest';
import { parseDuration } from '../../src/cli/parse-duration.ts';

test.each([
  ['1m', 1],
  ['30m', 30],
  ['2h', 120],
  ['1d', 1440],
  ['30d', 43_200],
])('%s is %i minutes', (text, minutes) => {
  expect(parseDuration(text)).toBe(minutes);
});

test.each(['', '2', 'h', '0m', '-1h', '1.5h', '2 h', '2h30m', '31d', '721h', '1w', '1e3m', '9999999m'])(
  '"%s" is none',
  (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  },
);
