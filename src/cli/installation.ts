import { DoctorError } from '../doctor-error.ts';
import { latestRunId } from '../engine/history/latest-run-id.ts';
import { describeCaller } from '../engine/history/who.ts';
import { newRunId } from '../engine/run-id.ts';
import type { ChangeOptions, ChangeResult } from '../install/change-installation.ts';
import type { InstallationPlan } from '../install/plan-install.ts';
import type { ShippedFile } from '../install/units.ts';
import { buildReport, type ReportInput } from '../report/build-report.ts';
import { renderPlan, renderText } from '../report/text.ts';
import { askYesNo } from './ask.ts';
import { createLogger } from './logger.ts';
import { openSite } from './open-site.ts';
import type { RunOptions } from './options.ts';
import { assertReportable, printReport, textOptions } from './print-report.ts';
import { readShippedFiles } from './read-shipped-files.ts';
import { requireRoot } from './require-root.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { version } from './version.ts';

export interface InstallationOptions extends RunOptions {
  readonly dryRun?: true;
  readonly yes?: true;
}

export interface InstallationWork {
  readonly verb: ChangeOptions['verb'];
  readonly question: string;
  readonly unitFolder: string;
  /** Said when there is nothing to do. */
  readonly idle: string;
  change(
    options: Omit<ChangeOptions, 'verb'> & { readonly files: readonly ShippedFile[] },
  ): Promise<ChangeResult>;
}

/** Installs or uninstalls: shows the plan, asks, does it, reports. Returns the exit code. */
export async function changeInstallationOf(
  work: InstallationWork,
  options: InstallationOptions,
): Promise<number> {
  const { verb } = work;
  requireRoot(`to ${verb}`);
  refuseWithoutTerminal(options);
  await assertReportable(options);
  const site = await openSite(options);
  const { host, config } = site;
  const startedAt = host.now();
  const runId = newRunId({ now: startedAt, pid: process.pid, latest: await latestRunId(host, config) });
  const log = createLogger(options.logLevel, runId);
  const reportOn = (
    { steps, refused, obstacles, notices }: InstallationPlan,
    result: Pick<ReportInput, 'fix' | 'settled'>,
  ) =>
    buildReport({
      version,
      run: { id: runId, verb, startedAt: startedAt.toISOString(), finishedAt: host.now().toISOString() },
      examinations: [],
      steps,
      refused: [...obstacles, ...refused],
      notices: result.fix?.kind === 'nothing-to-do' ? [...notices, work.idle] : notices,
      isRehearsal: options.dryRun === true,
      failOn: options.failOn,
      ...result,
    });
  const signal = options.dryRun ? undefined : stopOnSignals(log);
  const approve: ChangeOptions['approve'] = async (plan, settled) => {
    if (options.yes) return true;
    const report = reportOn(plan, { settled });
    const text = textOptions(options, process.stderr);
    process.stderr.write(
      `${renderText(report, text)}\n${renderPlan(report.plan, { ...text, maxLines: 10 })}\n\n`,
    );
    return askYesNo(work.question, signal);
  };
  const { plan, ...result } = await work.change({
    ...site,
    files: await readShippedFiles(work.unitFolder, host),
    runId,
    by: await describeCaller(host, process.env),
    dryRun: options.dryRun ?? false,
    approve,
    signal,
  });
  const report = reportOn(plan, result);
  log.info({ outcome: report.fix, exitCode: report.exitCode }, `${verb} ends`);
  await printReport(report, options);
  return report.exitCode;
}

function refuseWithoutTerminal({ yes, dryRun }: InstallationOptions): void {
  if (yes || dryRun || (process.stdin.isTTY && process.stderr.isTTY)) return;
  throw new DoctorError('usage', 'there is no terminal to ask at', {
    hint: 'use --yes to go on without asking, or --dry-run to see the plan',
  });
}
