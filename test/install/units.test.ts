import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseTimerNames, unitNames } from '../../src/install/units.ts';

test('every unit that is shipped is installed', () => {
  expect([...unitNames].sort()).toEqual(readdirSync(new URL('../../units', import.meta.url)).sort());
});

test('timers are named by short names, each counts once', () => {
  expect(parseTimerNames('cleanup')).toEqual(['cleanup']);
  expect(parseTimerNames('doctor, cleanup,doctor')).toEqual(['doctor', 'cleanup']);
});

test.each(['', 'cleanup,', 'forward-rules', 'k3s-doctor', 'toString'])(
  '%j is refused with those that there are',
  (text) => {
    expect(() => parseTimerNames(text)).toThrow(
      expect.objectContaining({ code: 'usage', hint: 'there are cleanup, doctor' }),
    );
  },
);
