import type { Applied } from './apply.ts';
import { createFactContext } from './fact.ts';
import { describeLockOut, judgeLockOut, type LockOutGuard } from './guards/lock-out.ts';
import { takeLock } from './lock.ts';
import { planUndo, type UndoPlan } from './plan-undo.ts';
import { readOpenRun } from './read-journal.ts';
import { carryOut } from './run.ts';
import { type Settled, settle } from './settle.ts';
import type { Site } from './site.ts';

export interface UndoOptions extends Site {
  /** The run to take back. */
  readonly target: string;
  /** This run's own id. */
  readonly runId: string;
  readonly by: string;
  /** Only plan. */
  readonly isRehearsal: boolean;
  /** Shown the plan; says whether to go on. */
  readonly approve: (plan: UndoPlan) => Promise<boolean>;
  /** Refuses a plan that would lock people out. */
  readonly guard: LockOutGuard;
  readonly signal?: AbortSignal | undefined;
}

export interface UndoResult extends Pick<UndoPlan, 'steps' | 'refused' | 'done'> {
  readonly fix:
    | { readonly kind: 'nothing-to-do' }
    | { readonly kind: 'not-applied'; readonly reason: string }
    | Applied;
  /** What could not be shown of those who must not be locked out, and is as it was; a line each. */
  readonly notes?: readonly string[];
  readonly settled?: Settled | undefined;
}

/**
 * Takes a run back by inverse steps, as far as the node has not moved on since; what has is refused by
 * name. It is a run of its own. What a person takes back is not repaired again unattended.
 *
 * Throws DoctorError `usage` for a run that cannot be taken back, `locked` while another is at work.
 */
export async function undo(options: UndoOptions): Promise<UndoResult> {
  const { host, config, target, approve } = options;
  if (options.isRehearsal) {
    const plan = await planSafely(options);
    return { ...plan, fix: plan.steps.length === 0 ? whyNothing(plan) : notApplied('dry run') };
  }
  // Whoever is asked shall see the node as it is after an unfinished run was settled.
  const isOpen = (await readOpenRun(host, config)) !== undefined;
  const settled = isOpen ? await withLock(options, () => settle(options)) : undefined;
  if (settled && (settled.run === target || settled.outcome === 'incomplete'))
    return asSettled(settled, target);
  const shown = await planSafely(options);
  if (shown.steps.length === 0) return { ...shown, fix: whyNothing(shown), settled };
  if (!(await approve(shown))) return { ...shown, fix: notApplied('not confirmed'), settled };
  return withLock(options, () => carryOutApproved(shown, options, settled));
}

async function carryOutApproved(
  shown: SafePlan,
  options: UndoOptions,
  before: Settled | undefined,
): Promise<UndoResult> {
  const { runId, by, signal, target } = options;
  const settled = (await settle(options)) ?? before;
  if (settled?.outcome === 'incomplete') return asSettled(settled, target);
  const plan = await planSafely(options);
  if (JSON.stringify(plan.steps) !== JSON.stringify(shown.steps))
    return { ...plan, fix: notApplied('the node has changed since: look again'), settled };
  const { why } = plan.run.begin;
  const request = { runId, by, signal, verb: 'undo', why, undoes: target, steps: plan.steps } as const;
  return { ...plan, fix: await carryOut(request, options), settled };
}

interface SafePlan extends UndoPlan {
  /** What could not be shown, and is as it was. */
  readonly notes: readonly string[];
  /** Why none of it may be done; there are no steps then. */
  readonly lockOut: string | undefined;
}

/** All of a plan or, where it could lock people out, nothing: what half of it would do is not known. */
async function planSafely(options: UndoOptions): Promise<SafePlan> {
  const { host, config, guard, target } = options;
  const plan = await planUndo(target, options);
  const [judged = { reasons: [], notes: [] }] = await judgeLockOut(guard, createFactContext(host, config), [
    plan.steps,
  ]);
  const { reasons, notes } = judged;
  const lockOut = describeLockOut(judged);
  if (lockOut === undefined) return { ...plan, notes, lockOut };
  return { ...plan, steps: [], refused: [...plan.refused, ...reasons], notes, lockOut };
}

function whyNothing({ lockOut }: SafePlan): UndoResult['fix'] {
  return lockOut === undefined ? nothingToDo : notApplied(lockOut);
}

/** The very run was killed at its work, and has been taken back by that; or another one is in the way. */
function asSettled(settled: Settled, target: string): UndoResult {
  const nothing = { steps: [], refused: [], done: [], settled };
  if (settled.run === target && settled.outcome === 'reverted') return { ...nothing, fix: nothingToDo };
  if (settled.run === target && settled.outcome === 'done')
    return {
      ...nothing,
      fix: notApplied('it was killed after its work was done and stands: undo it once more'),
    };
  return { ...nothing, fix: notApplied('a run that was killed could not be taken back: see to that first') };
}

const nothingToDo = { kind: 'nothing-to-do' } as const;

function notApplied(reason: string) {
  return { kind: 'not-applied', reason } as const;
}

async function withLock<T>(options: UndoOptions, work: () => Promise<T>): Promise<T> {
  const lock = await takeLock({ ...options, verb: 'undo' });
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
