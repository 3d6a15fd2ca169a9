import type { CheckId } from '../config/config.ts';
import { DoctorError } from '../doctor-error.ts';
import type { Applied } from './apply.ts';
import type { Check } from './check.ts';
import { type Examination, examine } from './examine.ts';
import { createFactContext, type FactContext } from './fact.ts';
import { type DecideInput, type Decision, decide } from './guards/decide.ts';
import { describeLockOut, judgeLockOut, type LockOutGuard } from './guards/lock-out.ts';
import { describePause, pauseOf } from './guards/pause.ts';
import type { State } from './guards/state.ts';
import { readState, type StateReading, setAside, writeState } from './guards/state-file.ts';
import { takeLock } from './lock.ts';
import { openRunNotice, readOpenRun } from './read-journal.ts';
import { carryOut } from './run.ts';
import { newRunId } from './run-id.ts';
import { type Settled, settle } from './settle.ts';
import type { Site } from './site.ts';
import type { Step } from './step.ts';

export interface FixOptions extends Site {
  readonly checks: readonly Check[];
  readonly runId: string;
  readonly by: string;
  /** A person decides; else the guards that are against a timer's haste apply. */
  readonly attended: boolean;
  /** The operator's word, instead of the configured caps. */
  readonly maxChanges?: number | undefined;
  readonly approve: Approval;
  /** Refuses plans that would lock people out. */
  readonly guard: LockOutGuard;
  readonly signal?: AbortSignal | undefined;
}

export type Approval =
  | { readonly kind: 'yes' | 'dry-run' }
  | { readonly kind: 'ask'; readonly ask: (shown: Shown) => Promise<boolean> };

export interface Shown {
  readonly examinations: readonly Examination[];
  readonly steps: readonly Step[];
  /** What the operator should know of besides, a line each. */
  readonly notices: readonly string[];
  /** A run that was killed earlier, and how it was brought to an end. */
  readonly settled?: Settled | undefined;
}

export interface FixResult extends Shown {
  /** Of the run in the journal, where it is not the one that was asked for: a plan may be made anew. */
  readonly runId?: string;
  readonly fix:
    | { readonly kind: 'nothing-to-do' }
    | { readonly kind: 'not-applied'; readonly reason: string }
    | Applied;
}

/**
 * Settles what an earlier run left unfinished, diagnoses, lets the guards judge, asks, applies.
 *
 * All of it happens under the lock, but for the question: a person may think about a plan for minutes.
 * After his yes the node is examined again, and if the plan is not the same any more he is asked again.
 * When the node moves on between plan and write, the whole is tried again, three times at most.
 *
 * Throws DoctorError `locked` and `paused`, and `fix-failed` when nothing can be recorded.
 */
export function fix(options: FixOptions): Promise<FixResult> {
  switch (options.approve.kind) {
    case 'dry-run':
      return rehearse(options);
    case 'ask':
      return askAndFix(options, options.approve.ask);
    case 'yes':
      return withLock(options, () => settleAndFix(options));
  }
}

async function rehearse(options: FixOptions): Promise<FixResult> {
  const open = await readOpenRun(options.host, options.config);
  const { decision, shown } = await decideNow(options);
  const killed = open === undefined ? [] : [openRunNotice(open)];
  const fix = decision.steps.length === 0 ? whyNothing(decision) : notApplied('dry run');
  return { ...shown, notices: [...shown.notices, ...killed], fix };
}

async function askAndFix(options: FixOptions, ask: (shown: Shown) => Promise<boolean>): Promise<FixResult> {
  const { host, config } = options;
  refuseWhilePaused((await readState(host, config)).state, host.now());
  const isOpen = (await readOpenRun(host, config)) !== undefined;
  let settled = isOpen ? await withLock(options, () => settle(options)) : undefined;
  for (let attempt = 1; ; attempt++) {
    if (settled?.outcome === 'incomplete') return blocked(settled);
    const { decision, shown } = await decideNow(options, settled);
    if (decision.steps.length === 0) return { ...shown, fix: whyNothing(decision) };
    if (attempt > 3) return { ...shown, fix: notApplied('the node keeps changing') };
    if (!(await ask(shown))) return { ...shown, fix: notApplied('not confirmed') };
    const outcome = await withLock(options, () => settleAndFix(options, decision.steps));
    settled = outcome.settled ?? settled;
    if (outcome.fix.kind !== 'not-applied' || outcome.fix.reason !== planChanged)
      return { ...outcome, settled };
  }
}

async function settleAndFix(options: FixOptions, approved?: readonly Step[]): Promise<FixResult> {
  const { host, config, signal } = options;
  // Before anything is written, by settling, too: whoever paused may be at work by hand.
  refuseWhilePaused((await readState(host, config)).state, host.now());
  const settled = await settle(options);
  if (settled?.outcome === 'incomplete') return blocked(settled);
  // Read once: what a second look in the same run sees is not one more sighting.
  const reading = await readState(host, config);
  for (let attempt = 1; ; attempt++) {
    const { decision, shown } = await decideNow(options, settled, reading);
    await remember(decision, attempt === 1 ? reading : { state: reading.state }, options);
    if (decision.steps.length === 0) return { ...shown, fix: whyNothing(decision) };
    if (approved && JSON.stringify(approved) !== JSON.stringify(decision.steps)) {
      return { ...shown, fix: notApplied(planChanged) };
    }
    if (signal?.aborted) return { ...shown, fix: notApplied('stopped before anything was changed') };
    const runId = nextRunId(options, attempt);
    const applied = await applyDecision(decision, runId, options);
    const mayTryAgain = applied.kind === 'moved-on' && applied.reverted.complete && attempt < 3;
    if (!mayTryAgain) return { ...shown, runId, fix: applied };
  }
}

/** Nothing is left to repair, or a guard holds all of it back. */
function whyNothing({ examinations }: Decision): FixResult['fix'] {
  const remedies = examinations.flatMap(({ diagnosis }) => diagnosis.findings.map(({ remedy }) => remedy));
  const held = new Set(remedies.flatMap((remedy) => (remedy.kind === 'held' ? [remedy.reason] : [])));
  return held.size === 0 ? { kind: 'nothing-to-do' } : notApplied([...held].slice(0, 3).join('; '));
}

const planChanged = 'the plan is not the same any more';

function notApplied(reason: string) {
  return { kind: 'not-applied', reason } as const;
}

function blocked(settled: Settled): FixResult {
  const reason = settled.isOpen
    ? 'an earlier run could not be taken back yet; the next run tries again'
    : 'an earlier run could not be taken back wholly; see to that first, then run fix again';
  return { examinations: [], steps: [], notices: [], settled, fix: notApplied(reason) };
}

async function withLock<T>(options: FixOptions, work: () => Promise<T>): Promise<T> {
  const lock = await takeLock({ ...options, verb: 'fix' });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

interface Decided {
  readonly decision: Decision;
  readonly shown: Shown;
}

async function decideNow(options: FixOptions, settled?: Settled, known?: StateReading): Promise<Decided> {
  const { host, config, checks, attended, maxChanges } = options;
  const reading = known ?? (await readState(host, config));
  const now = host.now();
  const context = createFactContext(host, config);
  const examinations = await examine(checks, context);
  const input = { examinations, state: reading.state, config, now, attended, maxChanges };
  const { decision, notes } = await decideWithout(input, { context, guard: options.guard });
  const notices = [...(reading.problem === undefined ? [] : [reading.problem]), ...notes];
  const shown = { examinations: decision.examinations, steps: decision.steps, notices, settled };
  return { decision, shown };
}

/**
 * Decides without the plans that would lock people out. They are judged by the facts that they were
 * made from, seconds before they are carried out: what changes meanwhile in the chains concerned is
 * noticed by the steps, anything else by the probes that a fresh process makes after the last step.
 */
async function decideWithout(
  input: DecideInput,
  { context, guard }: { readonly context: FactContext; readonly guard: LockOutGuard },
): Promise<{ readonly decision: Decision; readonly notes: readonly string[] }> {
  const first = decide(input);
  const judged = await judgeLockOut(
    guard,
    context,
    first.plans.map(({ steps }) => steps),
  );
  const lockOuts = new Map<CheckId, string>();
  for (const [index, { check }] of first.plans.entries()) {
    const reason = describeLockOut(judged[index] ?? nothingSaid);
    if (reason !== undefined) lockOuts.set(check, reason);
  }
  const notes = [...new Set(judged.flatMap(({ notes }) => notes))];
  return { decision: lockOuts.size === 0 ? first : decide({ ...input, lockOuts }), notes };
}

const nothingSaid = { reasons: [], notes: [] };

function refuseWhilePaused(state: State, now: Date): void {
  const pause = pauseOf(state, now);
  if (!pause) return;
  throw new DoctorError('paused', `repairs are ${describePause(pause)}`, {
    hint: '"doctor check" still diagnoses; "doctor resume" ends the pause',
  });
}

/** What was seen is on disk before anything is done about it: what cannot be remembered is not repaired. */
async function remember(
  decision: Decision,
  reading: StateReading,
  { host, config }: FixOptions,
): Promise<void> {
  const aside = await setAside(host, config, reading);
  const isNew = decision.state !== reading.state || reading.problem !== undefined;
  const written = isNew ? await writeState(host, config, decision.state) : aside;
  const failed = [aside, written].find((result) => result.kind === 'failed');
  if (failed?.kind !== 'failed' || decision.steps.length === 0) return;
  throw new DoctorError('fix-failed', `cannot write ${config.paths.state}/state.json: ${failed.reason}`, {
    hint: 'free space or make it writable: nothing is changed that cannot be recorded first',
  });
}

function applyDecision({ steps, why }: Decision, runId: string, options: FixOptions): Promise<Applied> {
  const { by, signal } = options;
  return carryOut({ runId, verb: 'fix', by, why, steps, signal }, options);
}

function nextRunId({ host, runId }: FixOptions, attempt: number): string {
  return attempt === 1 ? runId : newRunId({ now: host.now(), pid: process.pid, latest: runId });
}
