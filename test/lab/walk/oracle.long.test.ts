/**
 * What becomes of packets by the walk, and in the real kernel: more than 500 rulesets, of both
 * iptables backends together, of native nft tables, and of recorded nodes with a few changes.
 *
 * `ORACLE_SEED=N` tries others.
 */
import { expect, it } from 'vitest';
import type { EraOptions, EraReport } from './era-report.ts';
import { expectAgreement, percentUnknown, totals } from './expect-agreement.ts';
import { runEra } from './run-oracle.ts';
import { seedsFrom } from './seeds.ts';

const first = Number(process.env['ORACLE_SEED'] ?? 10_000);
const erasOf = { random: 9, native: 8, recordings: 5 } as const;
const rulesetsInEra = 24;

it('the walk and the kernel agree about more than 10,000 packets in more than 500 rulesets', async () => {
  const eras: EraOptions[] = Object.entries(erasOf).flatMap(([kind, count], place) =>
    Array.from({ length: count }, (_, era) => ({
      kind: kind as keyof typeof erasOf,
      seeds: seedsFrom(first + place * 10_000 + era * rulesetsInEra, rulesetsInEra),
      precedence: era % 2 === 0 ? 'nft first' : 'legacy first',
      packets: 30,
      shrink: 1,
    })),
  );
  const reports = await runAll(eras);

  expectAgreement(reports.map(({ report }) => report));
  const all = totals(reports.map(({ report }) => report));
  console.log(JSON.stringify(all));
  expect(all.rulesets).toBeGreaterThan(500);
  expect(all.packets).toBeGreaterThan(10_000);
  expect(all.refused.length).toBeLessThan(10);
  expect(all.fates['vanished'] ?? 0).toBe(0);
  const recorded = reports.flatMap(({ kind, report }) => (kind === 'recordings' ? [report] : []));
  expect(percentUnknown(totals(recorded))).toBeLessThan(1);
});

/** Two at a time, each on a processor of its own. */
async function runAll(
  eras: readonly EraOptions[],
): Promise<{ kind: EraOptions['kind']; report: EraReport }[]> {
  const left = [...eras];
  const reports: { kind: EraOptions['kind']; report: EraReport }[] = [];
  await Promise.all(
    [0, 1].map(async (cpu) => {
      for (let era = left.shift(); era !== undefined; era = left.shift()) {
        reports.push({ kind: era.kind, report: await runEra({ ...era, cpu }) });
      }
    }),
  );
  return reports;
}
