import { describe, expect, test } from 'vitest';
import { flawsOf } from '../../src/coredns/flaws.ts';
import { isAtLeast, takesSecondForward } from '../../src/coredns/version.ts';
import { forwardsOf } from './read.ts';

describe('a second forward in a server block', () => {
  const files = new Map([['/etc/coredns/custom/a.override', 'forward . 192.0.2.9\n']]);
  const old = [1, 9, 3];
  const flaws = (text: string, version: readonly number[] | undefined) =>
    flawsOf({ forwards: forwardsOf(text, files) }, version).map(({ reason }) => reason);

  test('is refused before 1.9.4, and the one of a custom file is named', () => {
    const text = '.:53 {\n  forward . 192.0.2.1\n  import custom/*.override\n}\n';
    const where = '/etc/coredns/custom/a.override, line 1: a second forward besides the one in line 2 of';
    expect(flaws(text, old)).toEqual([`${where} the Corefile, which CoreDNS before 1.9.4 refuses`]);
    expect(flaws(text, [1, 9, 4])).toEqual([]);
    expect(flaws(text, undefined)).toEqual([]);
  });

  test('is not the first one again, where that is for several zones', () => {
    expect(flaws('a.test b.test {\n  forward . 192.0.2.1\n}\n', old)).toEqual([]);
    expect(flaws('a.test b.test {\n  forward . 192.0.2.1\n  forward . 192.0.2.2\n}\n', old)).toHaveLength(1);
  });
});

test.each([
  [[1, 9, 4], true],
  [[1, 10], true],
  [[2], true],
  [[1, 9, 3], false],
  [[1, 9], false],
  [undefined, false],
])('version %j is at least 1.9.4: %j', (version, isSo) => {
  expect(isAtLeast(version, [1, 9, 4])).toBe(isSo);
  expect(takesSecondForward(version)).toBe(isSo || version === undefined);
});
