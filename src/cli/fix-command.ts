import { DoctorError } from '../doctor-error.ts';
import { type Approval, fix, type Shown } from '../engine/fix.ts';
import { latestRunId } from '../engine/history/latest-run-id.ts';
import { describeCaller } from '../engine/history/who.ts';
import { newRunId } from '../engine/run-id.ts';
import { refuseLockOut } from '../probes/lock-out.ts';
import { buildReport, type ReportInput } from '../report/build-report.ts';
import { renderPlan, renderText } from '../report/text.ts';
import { askYesNo } from './ask.ts';
import { createLogger } from './logger.ts';
import { openSite } from './open-site.ts';
import type { FixCommandOptions, Inherited } from './options.ts';
import { assertReportable, printReport, textOptions } from './print-report.ts';
import { selectChecks } from './select-checks.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { version } from './version.ts';

/** Shows the plan, asks, applies, verifies. Returns the exit code. */
export async function fixCommand(
  ids: readonly string[],
  options: FixCommandOptions,
  inherited: Inherited = {},
): Promise<number> {
  refuseContradictions(options);
  await assertReportable(options);
  const site = await openSite(options, inherited);
  const { host, config } = site;
  const checks = await selectChecks(ids, config);
  const startedAt = host.now();
  const runId = newRunId({ now: startedAt, pid: process.pid, latest: await latestRunId(host, config) });
  const log = inherited.log?.child({ run: runId }) ?? createLogger(options.logLevel, runId);
  const reportOn = ({ settled, ...shown }: Shown & Pick<ReportInput, 'fix'>, id = runId) =>
    buildReport({
      version,
      run: {
        id,
        verb: 'fix',
        startedAt: startedAt.toISOString(),
        finishedAt: host.now().toISOString(),
      },
      ...shown,
      settled,
      failOn: options.failOn,
    });
  const signal = inherited.signal ?? (options.dryRun ? undefined : stopOnSignals(log));
  const approve = approval(options, (shown) => {
    const report = reportOn(shown);
    const text = textOptions(options, process.stderr);
    process.stderr.write(
      `${renderText(report, text)}\n${renderPlan(report.plan, { ...text, maxLines: 40 })}\n\n`,
    );
    return askYesNo('Apply this plan?', signal);
  });
  const { unattended = false, maxChanges } = options;
  log.info({ checks: checks.map(({ id }) => id), approval: approve.kind, unattended }, 'fix begins');
  const result = await fix({
    ...site,
    checks,
    runId,
    by: inherited.log ? 'daemon' : await describeCaller(host, process.env),
    attended: !unattended,
    maxChanges,
    approve,
    guard: refuseLockOut,
    signal,
  });
  const report = reportOn(result, result.runId);
  log.info({ outcome: report.fix, exitCode: report.exitCode }, 'fix ends');
  const isForJournal = unattended && options.format === 'text' && !options.dryRun;
  await printReport(report, isForJournal ? { ...options, format: 'log' } : options, inherited.log && log);
  return report.exitCode;
}

function refuseContradictions({ unattended, yes, maxChanges }: FixCommandOptions): void {
  if (!unattended || (!yes && maxChanges === undefined)) return;
  throw new DoctorError('usage', `--unattended cannot go with ${yes ? '--yes' : '--max-changes'}`, {
    hint: 'unattended, the guards of the configuration decide; a person is not bound by all of them',
  });
}

function approval(options: FixCommandOptions, ask: Extract<Approval, { kind: 'ask' }>['ask']): Approval {
  if (options.dryRun) return { kind: 'dry-run' };
  if (options.yes || options.unattended) return { kind: 'yes' };
  if (process.stdin.isTTY && process.stderr.isTTY) return { kind: 'ask', ask };
  throw new DoctorError('usage', 'there is no terminal to ask at', {
    hint: 'use --yes to apply without asking, or --dry-run to see the plan',
  });
}
