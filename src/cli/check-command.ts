import { examine } from '../engine/examine.ts';
import { createFactContext } from '../engine/fact.ts';
import { newRunId } from '../engine/journal.ts';
import { buildReport } from '../report/build-report.ts';
import { openHost } from './open-host.ts';
import type { CheckOptions } from './options.ts';
import { printReport } from './print-report.ts';
import { selectChecks } from './select-checks.ts';
import { version } from './version.ts';

/** Diagnoses and changes nothing. Returns the exit code. */
export async function checkCommand(ids: readonly string[], options: CheckOptions): Promise<number> {
  const checks = selectChecks(ids);
  const { host, config, finish } = await openHost(options);
  const startedAt = host.now();
  const examinations = await examine(checks, createFactContext(host, config));
  await finish();
  const report = buildReport({
    version,
    run: {
      id: newRunId(startedAt, process.pid),
      verb: 'check',
      startedAt: startedAt.toISOString(),
      finishedAt: host.now().toISOString(),
    },
    examinations,
    failOn: options.failOn,
  });
  await printReport(report, options);
  return report.exitCode;
}
