import { disarmSwitch } from './confirm/dead-mans-switch.ts';
import { rememberRun } from './guards/remember-run.ts';
import { appendHistory } from './history/history.ts';
import { pruneRuns } from './history/prune-runs.ts';
import { type BeginEvent, openJournal, openRunFile, type RunOutcome } from './journal.ts';
import type { Site } from './site.ts';
import { describeStep } from './steps/steps.ts';

export interface Closing {
  readonly runId: string;
  readonly begin: BeginEvent;
  readonly beganAt: string;
  readonly outcome: RunOutcome;
  readonly reason?: string | undefined;
  readonly notes: readonly string[];
  /** Name of the dead man's switch, if it was armed. */
  readonly armed?: string | undefined;
}

/**
 * The end of a run: last line of the journal, history, what is remembered, and only then the name of the
 * open run goes, so that whoever finds it can do all of this again. Returns a line for the report when
 * something could not be written; the node itself is as the outcome says.
 */
export async function closeRun(closing: Closing, site: Site): Promise<string[]> {
  const { host, config } = site;
  const { runId, begin, outcome, reason, armed } = closing;
  const journal = openJournal(host, config, runId);
  const isNoted = await journal.note({ event: 'end', outcome, ...(reason !== undefined && { reason }) });
  const history = await appendHistory(host, config, {
    run: runId,
    verb: begin.verb,
    by: begin.by,
    at: closing.beganAt,
    finishedAt: host.now().toISOString(),
    why: begin.why.map(({ message }) => message),
    findings: begin.why.map(({ key }) => key),
    steps: begin.steps.map((step) => describeStep(step).title),
    changes: begin.steps.reduce((sum, step) => sum + describeStep(step).changes, 0),
    outcome,
    ...(reason !== undefined && { reason }),
    notes: closing.notes,
    ...(begin.undoes !== undefined && { undoes: begin.undoes }),
  });
  const forgotten = await rememberRun(runId, closing, site);
  // Without its end in the journal a run that stands would look killed; the next one finds out.
  const pointer = isNoted ? await host.removeFile(openRunFile(config)) : undefined;
  const disarmed = armed === undefined ? undefined : await disarmSwitch(host, armed);
  await pruneRuns(host, config);
  return [
    ...(history.kind === 'failed' ? [`the history could not be written: ${history.reason}`] : []),
    ...(forgotten === undefined ? [] : [forgotten]),
    ...(pointer?.kind === 'failed' ? [`${openRunFile(config)} could not be removed: ${pointer.reason}`] : []),
    ...(isNoted ? [] : [`the end of run ${runId} could not be written; the next run settles it`]),
    ...(disarmed === undefined ? [] : [disarmed]),
  ];
}
