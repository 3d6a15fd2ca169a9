import { DoctorError } from '../doctor-error.ts';
import { type Applied, applyPlan } from './apply.ts';
import { closeRun } from './close-run.ts';
import { type ArmedSwitch, armSwitch } from './confirm/dead-mans-switch.ts';
import { probeAfresh } from './confirm/probe-afresh.ts';
import { stillAnswers } from './confirm/still-answers.ts';
import {
  type BeginEvent,
  type Journal,
  openJournal,
  openRunFile,
  type ProbeResult,
  type RunOutcome,
} from './journal.ts';
import { processStart, readBootId } from './process-identity.ts';
import { readOpenRun } from './read-journal.ts';
import type { Site } from './site.ts';
import type { Step } from './step.ts';
import { describeStep } from './steps/steps.ts';

export interface RunRequest extends Pick<BeginEvent, 'verb' | 'by' | 'why' | 'undoes' | 'steps'> {
  readonly runId: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A plan, from its first line in the journal to the last. To be called with the lock held and no
 * unfinished run left. Throws a DoctorError when it cannot be recorded; nothing was changed then.
 *
 * A change of the firewall is armed with the dead man's switch, and stands only when whatever answered
 * before still does when a fresh process asks.
 */
export async function carryOut(request: RunRequest, site: Site): Promise<Applied> {
  const { host, config } = site;
  const { runId, signal, ...what } = request;
  const isFirewall = request.steps.some((step) => describeStep(step).firewall);
  const journal = openJournal(host, config, runId);
  const beganAt = host.now().toISOString();
  const begin: BeginEvent = {
    event: 'begin',
    ...what,
    pid: process.pid,
    processStart: (await processStart(host, 'self')) ?? '',
    bootId: await readBootId(host),
    probes: isFirewall ? await probeBefore(site) : [],
  };
  await openRun(begin, journal, site);
  const armed = isFirewall ? await arm(journal, request.steps, site) : undefined;
  const applied =
    armed?.kind === 'failed'
      ? notBegun(`the dead man's switch cannot be armed: ${armed.reason}`)
      : await applyPlan(request.steps, {
          host,
          timeoutMs: config.commandTimeoutMs,
          journal,
          stillAnswers: () => (armed ? stillAnswers(begin.probes, site) : Promise.resolve(undefined)),
          confirm: () => confirm(begin, { journal, site, isArmed: armed !== undefined }),
          signal: stopSignal(signal, armed),
        });
  if (isToBeRetried(applied)) return applied;
  const details =
    applied.kind === 'done'
      ? { notes: applied.notes }
      : { notes: applied.reverted.notes, reason: applied.reason };
  const closing = {
    runId,
    begin,
    beganAt,
    outcome: outcomeOf(applied),
    armed: armed?.kind === 'armed' ? armed.name : undefined,
    ...details,
  };
  return addNotes(applied, await closeRun(closing, site));
}

/** What answers now, asked in the same way as afterwards. Without it a change could not be confirmed. */
async function probeBefore({ host, config, selfArgs }: Site): Promise<readonly ProbeResult[]> {
  if (!Object.values(config.guards.probes).includes(true)) return [];
  const results = await probeAfresh(host, config, selfArgs);
  if (!('failed' in results)) return results;
  throw new DoctorError(
    'fix-failed',
    `whether the node stays reachable could not be told: ${results.failed}`,
    {
      hint: 'nothing was changed',
    },
  );
}

/** The name first: a run whose first line is missing was not begun, and one without a name is never looked for. */
async function openRun(begin: BeginEvent, journal: Journal, { host, config }: Site): Promise<void> {
  const path = openRunFile(config);
  const open = await readOpenRun(host, config);
  // Its name would be lost, and with it what there is to be taken back.
  if (open !== undefined) throw new DoctorError('fix-failed', `run ${open} is not settled yet`);
  const named = await host.writeDurably(path, `${journal.runId}\n`);
  if (named.kind === 'failed') {
    throw new DoctorError('fix-failed', `cannot write ${path}: ${named.reason}`, {
      hint: 'free space or make it writable: nothing is changed that cannot be recorded first',
    });
  }
  try {
    await journal.record(begin);
  } catch (error) {
    await host.removeFile(path);
    throw error;
  }
}

async function arm(journal: Journal, steps: readonly Step[], { host, config, selfArgs }: Site) {
  const waitMs = steps.reduce((sum, step) => sum + (step.kind === 'wait' ? step.deadlineMs : 0), 0);
  const armed = await armSwitch(host, config, { runId: journal.runId, selfArgs, waitMs });
  if (armed.kind === 'armed') await journal.note({ event: 'armed', switch: armed.name });
  return armed;
}

/** No step is begun when the switch is about to go off. */
function stopSignal(
  signal: AbortSignal | undefined,
  armed: ArmedSwitch | undefined,
): AbortSignal | undefined {
  if (armed?.kind !== 'armed') return signal;
  const soon = AbortSignal.timeout(Math.max(0, armed.deadlineMs - marginMs));
  return signal ? AbortSignal.any([signal, soon]) : soon;
}

const marginMs = 20_000;

async function confirm(
  begin: BeginEvent,
  { journal, site, isArmed }: { journal: Journal; site: Site; isArmed: boolean },
): Promise<string | undefined> {
  const problem = isArmed ? await stillAnswers(begin.probes, site) : undefined;
  if (problem !== undefined) return problem;
  try {
    await journal.record({ event: 'confirmed' });
    return undefined;
  } catch (error) {
    if (error instanceof DoctorError) return error.message;
    throw error;
  }
}

function notBegun(reason: string): Applied {
  const reverted = { complete: true, notes: ['nothing was changed'], retryable: false };
  return { kind: 'failed', reason, reverted };
}

/** Left open in the journal: the next run, or the dead man's switch, tries again to take it back. */
function isToBeRetried(applied: Applied): boolean {
  return applied.kind !== 'done' && !applied.reverted.complete && applied.reverted.retryable;
}

function outcomeOf(applied: Applied): RunOutcome {
  if (applied.kind === 'done') return 'done';
  if (!applied.reverted.complete) return 'incomplete';
  return applied.kind === 'failed' ? 'reverted' : applied.kind;
}

function addNotes(applied: Applied, notes: readonly string[]): Applied {
  if (applied.kind === 'done') return { ...applied, notes: [...applied.notes, ...notes] };
  const { reverted } = applied;
  return { ...applied, reverted: { ...reverted, notes: [...reverted.notes, ...notes] } };
}
