import type { Applied } from './apply.ts';
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
  readonly signal?: AbortSignal | undefined;
}

export interface UndoResult {
  readonly plan: UndoPlan;
  readonly fix: { readonly kind: 'nothing-to-do' | 'not-applied'; readonly reason: string } | Applied;
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
    const plan = await planUndo(target, options);
    return { plan, fix: plan.steps.length === 0 ? nothingToDo(plan) : notApplied('dry run') };
  }
  // Whoever is asked shall see the node as it is after an unfinished run was settled.
  const isOpen = (await readOpenRun(host, config)) !== undefined;
  const settled = isOpen ? await withLock(options, () => settle(options)) : undefined;
  const shown = await planUndo(target, options);
  if (settled?.outcome === 'incomplete') return { plan: shown, fix: blocked, settled };
  if (shown.steps.length === 0) return { plan: shown, fix: nothingToDo(shown), settled };
  if (!(await approve(shown))) return { plan: shown, fix: notApplied('not confirmed'), settled };
  return withLock(options, async () => {
    const settledNow = (await settle(options)) ?? settled;
    const plan = await planUndo(target, options);
    if (settledNow?.outcome === 'incomplete') return { plan, fix: blocked, settled: settledNow };
    const isSame = JSON.stringify(plan.steps) === JSON.stringify(shown.steps);
    if (!isSame)
      return { plan, fix: notApplied('the node has changed since: look again'), settled: settledNow };
    const { runId, by, signal } = options;
    const { begin } = plan.run;
    const request = {
      runId,
      by,
      signal,
      verb: 'undo',
      why: begin.why,
      undoes: target,
      steps: plan.steps,
    } as const;
    const fix = await carryOut(request, options);
    return { plan, fix, settled: settledNow };
  });
}

const blocked = notApplied('an earlier run could not be taken back: see to that first');

function nothingToDo({ refused }: UndoPlan) {
  return { kind: 'nothing-to-do', reason: refused.join('; ') } as const;
}

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
