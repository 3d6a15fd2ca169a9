import { DoctorError } from '../doctor-error.ts';
import { readHistory } from './history/history.ts';
import { hasRebootedSince } from './process-identity.ts';
import { type JournalledRun, readJournal, recallChanges } from './read-journal.ts';
import { isRunId } from './run-id.ts';
import type { Site } from './site.ts';
import type { Step } from './step.ts';
import { bindStep } from './steps/steps.ts';

/** What it takes to take a run back, as the node is now. */
export interface UndoPlan {
  readonly run: JournalledRun;
  /** Inverse steps, the last one first. */
  readonly steps: readonly Step[];
  /** What cannot be taken back, or moved on since and is left as it is; a line each. */
  readonly refused: readonly string[];
  /** What is as before already; a line each. */
  readonly done: readonly string[];
}

/**
 * Plans the undoing of a run. Throws DoctorError `usage` for a run that is not known, or that left
 * nothing to take back.
 */
export async function planUndo(runId: string, { host, config }: Site): Promise<UndoPlan> {
  const run = isRunId(runId) ? await readJournal(host, config, runId) : undefined;
  if (!run) {
    throw new DoctorError('usage', `there is no run "${runId}" in the journal`, {
      hint: '"doctor history" shows the runs that there are',
    });
  }
  refuseUnfit(run);
  // The node may be as that run left it, and by another one's work: that is not to be taken back by this.
  const { entries } = await readHistory(host, config);
  const earlier = entries.find(({ undoes, outcome }) => undoes === runId && outcome === 'done');
  if (earlier) throw new DoctorError('usage', `run ${runId} was taken back already, by run ${earlier.run}`);
  const hasRebooted = await hasRebootedSince(host, run.begin.bootId);
  const { changes, lost } = await recallChanges(host, config, run);
  const steps: Step[] = [];
  const refused: string[] = [...lost];
  const done: string[] = [];
  for (const { change } of changes.toReversed()) {
    const { title, volatile, changes: size } = change.about;
    if (!change.inverse) {
      // What nobody would want back is no reason to call an undo incomplete.
      if (size === 0) done.push(`not restored, and not needed: ${title}`);
      else refused.push(`cannot be taken back: ${title}`);
    } else if (hasRebooted && volatile) {
      refused.push(`the node has rebooted since, and its rules are new: ${title}`);
    } else {
      const probed = await bindStep(change.inverse).probe({ host, timeoutMs: config.commandTimeoutMs });
      if (probed.kind === 'needed') steps.push(change.inverse);
      else if (probed.kind === 'done') done.push(`is as before already: ${title}`);
      else refused.push(probed.reason);
    }
  }
  return { run, steps, refused, done };
}

function refuseUnfit({ runId, begin, end }: JournalledRun): void {
  if (begin.verb === 'undo') {
    throw new DoctorError('usage', `run ${runId} is itself an undo`, {
      hint: '"doctor fix" repairs again what is still broken, with a new proof',
    });
  }
  if (end && end.outcome !== 'done' && end.outcome !== 'incomplete') {
    throw new DoctorError('usage', `run ${runId} was taken back already: ${end.reason ?? 'it failed'}`);
  }
}
