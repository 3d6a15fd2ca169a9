import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseEnableNames, unitNames } from '../../src/install/units.ts';

test('every unit that is shipped is installed', () => {
  expect([...unitNames].sort()).toEqual(readdirSync(new URL('../../units', import.meta.url)).sort());
});

test('units are named by short names, each counts once', () => {
  expect(parseEnableNames('cleanup')).toEqual(['cleanup']);
  expect(parseEnableNames('doctor, cleanup,doctor')).toEqual(['doctor', 'cleanup']);
});

test.each(['', 'cleanup,', 'k3s-doctor', 'toString'])('%j is refused with those that there are', (text) => {
  expect(() => parseEnableNames(text)).toThrow(
    expect.objectContaining({ code: 'usage', hint: 'there are cleanup, forward-rules, coredns, doctor' }),
  );
});
