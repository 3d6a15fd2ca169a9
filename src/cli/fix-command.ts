import { DoctorError } from '../doctor-error.ts';
import type { Examination } from '../engine/examine.ts';
import { type Approval, fix } from '../engine/fix.ts';
import { newRunId } from '../engine/journal.ts';
import { buildReport } from '../report/build-report.ts';
import { renderPlan, renderText } from '../report/text.ts';
import { askYesNo } from './ask.ts';
import { createLogger } from './logger.ts';
import { openHost } from './open-host.ts';
import type { FixCommandOptions } from './options.ts';
import { assertReportable, printReport, textOptions } from './print-report.ts';
import { selectChecks } from './select-checks.ts';
import { version } from './version.ts';

/** Shows the plan, asks, applies, verifies. Returns the exit code. */
export async function fixCommand(ids: readonly string[], options: FixCommandOptions): Promise<number> {
  const checks = selectChecks(ids);
  await assertReportable(options);
  const { host, config } = await openHost(options);
  const startedAt = host.now();
  const runId = newRunId(startedAt, process.pid);
  const log = createLogger(options.logLevel, runId);
  const reportOn = (examinations: readonly Examination[], outcome?: Awaited<ReturnType<typeof fix>>['fix']) =>
    buildReport({
      version,
      run: {
        id: runId,
        verb: 'fix',
        startedAt: startedAt.toISOString(),
        finishedAt: host.now().toISOString(),
      },
      examinations,
      ...(outcome && { fix: outcome }),
      failOn: options.failOn,
    });
  const approve = approval(options, async (examinations) => {
    const shown = reportOn(examinations);
    const text = textOptions(options, process.stderr);
    process.stderr.write(
      `${renderText(shown, text)}\n${renderPlan(shown.plan, { ...text, maxLines: 40 })}\n\n`,
    );
    return askYesNo('Apply this plan?');
  });
  log.info({ checks: checks.map(({ id }) => id), approval: approve.kind }, 'fix begins');
  const maxChanges = options.maxChanges ?? config.guards.maxChanges;
  const result = await fix({ host, config, checks, runId, maxChanges, approve });
  const report = reportOn(result.examinations, result.fix);
  log.info({ outcome: report.fix, exitCode: report.exitCode }, 'fix ends');
  await printReport(report, options);
  return report.exitCode;
}

function approval(options: FixCommandOptions, ask: Extract<Approval, { kind: 'ask' }>['ask']): Approval {
  if (options.dryRun) return { kind: 'dry-run' };
  if (options.yes) return { kind: 'unattended' };
  if (process.stdin.isTTY && process.stderr.isTTY) return { kind: 'ask', ask };
  throw new DoctorError('usage', 'there is no terminal to ask at', {
    hint: 'use --yes to apply without asking, or --dry-run to see the plan',
  });
}
