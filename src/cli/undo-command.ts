import { DoctorError } from '../doctor-error.ts';
import { latestRunId } from '../engine/history/latest-run-id.ts';
import { describeCaller } from '../engine/history/who.ts';
import type { UndoPlan } from '../engine/plan-undo.ts';
import { newRunId } from '../engine/run-id.ts';
import { takeBackUnconfirmed } from '../engine/take-back-unconfirmed.ts';
import { undo } from '../engine/undo.ts';
import { refuseLockOut } from '../probes/lock-out.ts';
import { buildReport, type ReportInput } from '../report/build-report.ts';
import { renderPlan, renderText } from '../report/text.ts';
import { askYesNo } from './ask.ts';
import { createLogger } from './logger.ts';
import { openSite } from './open-site.ts';
import type { UndoCommandOptions } from './options.ts';
import { assertReportable, printReport, textOptions } from './print-report.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { version } from './version.ts';

/** Takes a run back, as far as the node has not moved on. Returns the exit code. */
export async function undoCommand(target: string, options: UndoCommandOptions): Promise<number> {
  await assertReportable(options);
  const site = await openSite(options);
  const { host, config } = site;
  const startedAt = host.now();
  const runId = newRunId({ now: startedAt, pid: process.pid, latest: await latestRunId(host, config) });
  const log = createLogger(options.logLevel, runId);
  if (options.unlessConfirmed) return takeBack(target, { ...site, runId, afterSeconds: options.after ?? 0 });

  const reportOn = (plan: Omit<UndoPlan, 'run'>, result: Pick<ReportInput, 'fix' | 'settled'>) =>
    buildReport({
      version,
      run: {
        id: runId,
        verb: 'undo',
        startedAt: startedAt.toISOString(),
        finishedAt: host.now().toISOString(),
      },
      examinations: [],
      steps: plan.steps,
      refused: plan.refused,
      notices: plan.done,
      isRehearsal: options.dryRun === true,
      failOn: options.failOn,
      ...result,
    });
  const isRehearsal = options.dryRun === true;
  const signal = isRehearsal ? undefined : stopOnSignals(log);
  const approve = async (plan: UndoPlan): Promise<boolean> => {
    if (options.yes) return true;
    const report = reportOn(plan, {});
    const text = textOptions(options, process.stderr);
    process.stderr.write(
      `${renderText(report, text)}\n${renderPlan(report.plan, { ...text, maxLines: 40 })}\n\n`,
    );
    return askYesNo(`Take back run ${target}?`, signal);
  };
  refuseWithoutTerminal(options);
  const by = await describeCaller(host, process.env);
  const {
    steps,
    refused,
    done,
    notes = [],
    fix,
    settled,
  } = await undo({
    ...site,
    target,
    runId,
    by,
    isRehearsal,
    approve,
    guard: refuseLockOut,
    signal,
  });
  const timer =
    'no timer does again what is taken back here, until the fault changes or a person runs "doctor fix"';
  const notices = [...done, ...notes, ...(fix.kind === 'done' ? [timer] : [])];
  const report = reportOn({ steps, refused, done: notices }, { fix, settled });
  log.info({ target, outcome: report.fix, exitCode: report.exitCode }, 'undo ends');
  await printReport(report, options);
  return report.exitCode;
}

function refuseWithoutTerminal({ yes, dryRun: isRehearsal }: UndoCommandOptions): void {
  if (yes || isRehearsal || (process.stdin.isTTY && process.stderr.isTTY)) return;
  throw new DoctorError('usage', 'there is no terminal to ask at', {
    hint: 'use --yes to take it back without asking, or --dry-run to see the plan',
  });
}

/** For the dead man's switch: what it has to say goes to the journal of whoever started it. */
async function takeBack(
  target: string,
  site: Omit<Parameters<typeof takeBackUnconfirmed>[0], 'target'>,
): Promise<number> {
  const settled = await takeBackUnconfirmed({ ...site, target });
  const outcome = settled === undefined ? 'has ended or stands; nothing to do' : `: ${settled.outcome}`;
  process.stderr.write(
    `run ${target} ${outcome}\n${settled?.notes.map((note) => `  ${note}\n`).join('') ?? ''}`,
  );
  return settled?.outcome === 'incomplete' ? 3 : 0;
}
