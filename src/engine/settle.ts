import { DoctorError } from '../doctor-error.ts';
import { closeRun } from './close-run.ts';
import { stillAnswers } from './confirm/still-answers.ts';
import { latestRunId } from './history/latest-run-id.ts';
import { backupFile, openJournal, openRunFile, type RunOutcome } from './journal.ts';
import { hasRebootedSince, processStart } from './process-identity.ts';
import {
  type JournalledRun,
  type RecalledChange,
  readJournal,
  readOpenRun,
  recallChanges,
  whyUnreadable,
} from './read-journal.ts';
import { revertChanges } from './revert.ts';
import type { Site } from './site.ts';
import type { StepContext } from './steps/step-kind.ts';
import { bindStep } from './steps/steps.ts';

/** How a run that somebody else left unfinished was brought to an end. */
export interface Settled {
  readonly run: string;
  readonly verb: string;
  readonly outcome: RunOutcome;
  readonly notes: readonly string[];
  /** It could not be taken back for now: the next run tries again. */
  readonly isOpen: boolean;
}

/**
 * Brings a run to an end that was killed at its work: it stands if all its steps are verified, and what
 * answered before it still does; else it is taken back as a whole, so that the node is as before or as
 * planned and nothing between. To be called with the lock held, before anything else is written.
 *
 * @param force take it back even if it is done but was not confirmed.
 * @returns undefined when there is nothing to settle.
 */
export async function settle(site: Site, force = false): Promise<Settled | undefined> {
  const runId = await findOpenRun(site);
  if (runId === undefined) return undefined;
  const run = await readJournal(site.host, site.config, runId);
  if (!run) return closeUnknown(runId, site);
  if (run.end) return finish(run, run.end, site);
  if (run.confirmed) return close(run, site, { outcome: 'done', notes: ['it was done and confirmed'] });
  return decide(run, site, force);
}

/** It had come to its end, but for its last words: nobody need hear of that. */
async function finish(
  run: JournalledRun,
  { outcome, reason }: { readonly outcome: RunOutcome; readonly reason?: string },
  site: Site,
): Promise<undefined> {
  await close(run, site, { outcome, reason, notes: [] });
}

/** Mostly killed between its name and its first line. */
async function closeUnknown(run: string, { host, config }: Site): Promise<Settled | undefined> {
  const reason = await whyUnreadable(host, config, run);
  await host.removeFile(openRunFile(config));
  if (reason === undefined) return undefined;
  const notes = [
    `${reason}; what it changed is not known, see ${backupFile(config, run, '')} for what was there before`,
  ];
  return { run, verb: 'unknown', outcome: 'incomplete', notes, isOpen: false };
}

/** The name may be unreadable: then it is the newest run. */
async function findOpenRun({ host, config }: Site): Promise<string | undefined> {
  const named = await readOpenRun(host, config);
  return named === '' ? ((await latestRunId(host, config)) ?? '') : named;
}

async function decide(run: JournalledRun, site: Site, force: boolean): Promise<Settled> {
  const { host, config } = site;
  if (!force && (await isAtWork(run, site))) {
    throw new DoctorError(
      'locked',
      `run ${run.runId} is at work (pid ${run.begin.pid}), and its lock was removed`,
      {
        hint: 'wait for it to end',
      },
    );
  }
  const leftBehind = await host.endLeftBehind(run.begin.pid, run.begin.processStart);
  if (leftBehind.length > 0) {
    const note = `what it had run is still at work and cannot be ended: process ${leftBehind.join(', ')}`;
    return { ...about(run), outcome: 'incomplete', notes: [note], isOpen: true };
  }
  const context = { host, timeoutMs: config.commandTimeoutMs };
  const hasRebooted = await hasRebootedSince(host, run.begin.bootId);
  const { changes, lost } = await recallChanges(host, config, run);
  const there = changes.filter(({ change }) => !(hasRebooted && change.about.volatile));
  const rebootNotes =
    there.length < changes.length
      ? ['the node has rebooted since: what the kernel held is gone with it']
      : [];

  if (!force && !hasRebooted && run.revertings === 0 && (await isAllDone(run, changes, site))) {
    const problem = await whyItCannotStand(run, site);
    if (problem === undefined) {
      return close(run, site, {
        outcome: 'done',
        notes: ['all its steps were done, read back and verified'],
      });
    }
  }
  const journal = openJournal(host, config, run.runId);
  if (there.length > 0) await journal.note({ event: 'reverting', why: 'it was not finished' });
  const reverted = await revertChanges(there, context);
  await journal.note({ event: 'reverted', ...reverted });
  const notes = [...rebootNotes, ...reverted.notes, ...lost];
  const isComplete = reverted.complete && lost.length === 0;
  // A run that cannot be taken back must not keep all others from their work for ever.
  if (!isComplete && reverted.retryable && run.revertings < maxRevertings)
    return { ...about(run), outcome: 'incomplete', notes, isOpen: true };
  return close(run, site, {
    outcome: isComplete ? 'reverted' : 'incomplete',
    reason: 'it was killed at its work',
    notes,
  });
}

/** One that has tried to take itself back is done with it, though its process may go on with others. */
async function isAtWork({ begin, wasReverted }: JournalledRun, { host }: Site): Promise<boolean> {
  if (wasReverted || begin.pid === process.pid || begin.processStart === '') return false;
  return (await processStart(host, begin.pid)) === begin.processStart;
}

const maxRevertings = 3;

async function isAllDone(
  run: JournalledRun,
  changes: readonly RecalledChange[],
  { host, config }: Site,
): Promise<boolean> {
  const context = { host, timeoutMs: config.commandTimeoutMs };
  for (const [index, step] of run.begin.steps.entries()) {
    if (run.wereDone.has(index)) continue;
    const begun = changes.find((change) => change.index === index);
    if (begun?.verified && !(await isTakenBack(begun, context))) continue;
    // Of one that was not announced nothing was written: it may have had nothing to do.
    if ((await bindStep(step).probe(context)).kind !== 'done') return false;
    if (begun && (await begun.change.verify(context)).kind !== 'as-planned') return false;
  }
  return true;
}

/** It may have been killed while it took everything back, without being able to note that. */
async function isTakenBack({ change }: RecalledChange, context: StepContext): Promise<boolean> {
  return change.inverse !== undefined && (await bindStep(change.inverse).probe(context)).kind === 'done';
}

async function whyItCannotStand(run: JournalledRun, site: Site): Promise<string | undefined> {
  const isFirewall = run.begin.steps.some((step) => bindStep(step).about.firewall);
  return isFirewall ? stillAnswers(run.begin.probes, site) : undefined;
}

async function close(
  run: JournalledRun,
  site: Site,
  result: {
    readonly outcome: RunOutcome;
    readonly reason?: string | undefined;
    readonly notes: readonly string[];
  },
): Promise<Settled> {
  const { begin, beganAt, runId, armed } = run;
  const more = await closeRun({ runId, begin, beganAt, armed, ...result }, site);
  return { ...about(run), outcome: result.outcome, notes: [...result.notes, ...more], isOpen: false };
}

function about({ runId, begin }: JournalledRun) {
  return { run: runId, verb: begin.verb };
}
