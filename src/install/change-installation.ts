import type { Applied } from '../engine/apply.ts';
import { takeLock } from '../engine/lock.ts';
import { openRunNotice, readOpenRun } from '../engine/read-journal.ts';
import { carryOut } from '../engine/run.ts';
import { type Settled, settle } from '../engine/settle.ts';
import type { Site } from '../engine/site.ts';
import type { InstallationPlan } from './plan-install.ts';

export interface ChangeOptions extends Site {
  readonly verb: 'install' | 'uninstall';
  readonly runId: string;
  readonly by: string;
  readonly dryRun: boolean;
  /** Shown the plan; says whether to go on. */
  readonly approve: (plan: InstallationPlan, settled: Settled | undefined) => Promise<boolean>;
  readonly signal?: AbortSignal | undefined;
}

export interface ChangeResult {
  readonly plan: InstallationPlan;
  readonly fix:
    | { readonly kind: 'nothing-to-do' }
    | { readonly kind: 'not-applied'; readonly reason: string }
    | Applied;
  readonly settled?: Settled | undefined;
}

export interface Change {
  plan(): Promise<InstallationPlan>;
  /** What comes after the run, still under the lock, and is in no journal. Returns what it could not do, a line each. */
  readonly last?: () => Promise<readonly string[]>;
  /** Whether there is something for `last` to do though the plan has no steps. */
  readonly hasLast?: () => Promise<boolean>;
}

/**
 * Plans, asks, and does what was planned as a run of its own; what an earlier run left unfinished is
 * settled first. A dry run writes nothing at all.
 *
 * Throws DoctorError `locked` while another run is at work, `fix-failed` when nothing can be recorded.
 */
export async function changeInstallation(change: Change, options: ChangeOptions): Promise<ChangeResult> {
  const { host, config, dryRun, approve } = options;
  const open = await readOpenRun(host, config);
  // Whoever is asked shall see the node as it is after an unfinished run was settled.
  const settled = open === undefined || dryRun ? undefined : await withLock(options, () => settle(options));
  const planned = await change.plan();
  const killed = open !== undefined && dryRun ? [openRunNotice(open)] : [];
  const shown = { ...planned, notices: [...planned.notices, ...killed] };
  const obstacle = whyNot(shown, settled);
  if (obstacle !== undefined) return { plan: shown, fix: notApplied(obstacle), settled };
  const isIdle = shown.steps.length === 0 && !(await change.hasLast?.());
  if (isIdle) return { plan: shown, fix: { kind: 'nothing-to-do' }, settled };
  if (dryRun) return { plan: shown, fix: notApplied('dry run'), settled };
  if (!(await approve(shown, settled))) return { plan: shown, fix: notApplied('not confirmed'), settled };
  return withLock(options, async () => {
    const settledNow = (await settle(options)) ?? settled;
    const plan = await change.plan();
    const isSame = JSON.stringify(plan.steps) === JSON.stringify(shown.steps);
    const changed = isSame ? undefined : 'the node has changed since: look again';
    const late = changed ?? whyNot(plan, settledNow);
    if (late !== undefined) return { plan, fix: notApplied(late), settled: settledNow };
    const { runId, verb, by, signal } = options;
    const fix: Applied =
      plan.steps.length === 0
        ? { kind: 'done', notes: [] }
        : await carryOut({ runId, verb, by, why: [], steps: plan.steps, signal }, options);
    const left = fix.kind === 'done' ? ((await change.last?.()) ?? []) : [];
    return { plan: { ...plan, refused: [...plan.refused, ...left] }, fix, settled: settledNow };
  });
}

function whyNot({ obstacles }: InstallationPlan, settled: Settled | undefined): string | undefined {
  if (settled?.isOpen) return 'an earlier run could not be taken back yet; the next run tries again';
  return obstacles.length > 0 ? 'something is in the way' : undefined;
}

function notApplied(reason: string) {
  return { kind: 'not-applied', reason } as const;
}

async function withLock<T>(options: ChangeOptions, work: () => Promise<T>): Promise<T> {
  const lock = await takeLock(options);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}
