import { examine } from '../engine/examine.ts';
import { createFactContext } from '../engine/fact.ts';
import { openRunNotice, readOpenRun } from '../engine/read-journal.ts';
import { newRunId } from '../engine/run-id.ts';
import { buildReport } from '../report/build-report.ts';
import { openHost } from './open-host.ts';
import type { CheckOptions, Inherited } from './options.ts';
import { assertReportable, printReport } from './print-report.ts';
import { selectChecks } from './select-checks.ts';
import { version } from './version.ts';

/** Diagnoses and changes nothing. Returns the exit code. */
export async function checkCommand(
  ids: readonly string[],
  options: CheckOptions,
  inherited: Inherited = {},
): Promise<number> {
  await assertReportable(options);
  const { host, config, finish } = await openHost(options, inherited);
  const checks = await selectChecks(ids, config);
  const startedAt = host.now();
  const id = newRunId({ now: startedAt, pid: process.pid });
  const examinations = await examine(checks, createFactContext(host, config));
  await finish();
  const open = await readOpenRun(host, config);
  const report = buildReport({
    version,
    run: {
      id,
      verb: 'check',
      startedAt: startedAt.toISOString(),
      finishedAt: host.now().toISOString(),
    },
    examinations,
    notices: open === undefined ? [] : [openRunNotice(open)],
    failOn: options.failOn,
  });
  await printReport(report, options, inherited.log?.child({ run: id }));
  return report.exitCode;
}
