/** What becomes of packets by the walk, and in the real kernel: some scenarios of each kind. */
import { describe, expect, it } from 'vitest';
import { expectAgreement, percentUnknown, totals } from './expect-agreement.ts';
import { regressions } from './regressions.ts';
import { runEra } from './run-oracle.ts';
import { seedsFrom } from './seeds.ts';

describe('the walk and the kernel agree', () => {
  it.each([
    { kind: 'random', precedence: 'nft first', seeds: seedsFrom(1001, 8) },
    { kind: 'random', precedence: 'legacy first', seeds: seedsFrom(1051, 6) },
    { kind: 'native', precedence: 'nft first', seeds: seedsFrom(1101, 8) },
    { kind: 'recordings', precedence: 'legacy first', seeds: seedsFrom(1201, 6) },
  ] as const)('on $kind rules, $precedence', async ({ seeds, ...options }) => {
    const report = await runEra({ ...options, seeds, packets: 40 });

    expectAgreement([report]);
    const { packets, fates } = totals([report]);
    expect(packets).toBeGreaterThanOrEqual((seeds.length - 1) * 40);
    // Else it would say nothing.
    for (const fate of ['in', 'out', 'lost', 'rejected']) expect(fates[fate] ?? 0, fate).toBeGreaterThan(1);
    expect(fates['vanished'] ?? 0).toBe(0);
    if (options.kind === 'recordings') expect(percentUnknown(totals([report]))).toBeLessThan(1);
  });
});

describe('what the walk once got wrong', () => {
  it.each(['nft first', 'legacy first'] as const)('stays right, %s', async (precedence) => {
    for (const kind of ['random', 'native', 'recordings'] as const) {
      const seeds = regressions.flatMap((each) =>
        each.kind === kind && each.precedence === precedence ? [each.seed] : [],
      );
      if (seeds.length > 0) expectAgreement([await runEra({ kind, precedence, seeds, packets: 40 })]);
    }
  });
});
