import { DoctorError } from '../doctor-error.ts';
import type { Host } from '../host/host.ts';
import type { Journal } from './journal.ts';
import type { Step } from './step.ts';
import type { RevertOutcome, StepOutcome } from './steps/step-kind.ts';
import { applyStep, describeStep } from './steps/steps.ts';

/**
 * Doing a plan.
 *
 * The goal is that a node is never left worse than it was found, whatever happens on the way.
 * - Nothing is written that is not on disk first: the step, and a backup of what it changes. If
 *   that cannot be recorded, the step is not begun.
 * - Each step is one transaction of the kernel's: killed in the middle of it, all of it happened or
 *   nothing. Killed between two, the next run finds what is left and goes on from there.
 * - Each step looks again right before it writes and leaves everything alone if the node has moved
 *   on since the plan was made; and reads back right after.
 * - When a step fails, the steps before it are taken back in reverse order, and the report says
 *   what was restored and what could not be.
 */
export type Applied =
  | { readonly kind: 'done'; readonly notes: readonly string[] }
  | { readonly kind: 'moved-on'; readonly reason: string; readonly reverted: RevertOutcome }
  | { readonly kind: 'failed'; readonly reason: string; readonly reverted: RevertOutcome };

interface ApplyContext {
  readonly host: Host;
  readonly journal: Journal;
  readonly timeoutMs: number;
}

export async function applyPlan(steps: readonly Step[], context: ApplyContext): Promise<Applied> {
  const { journal } = context;
  const done: Extract<StepOutcome, { kind: 'done' }>[] = [];
  for (const [index, step] of steps.entries()) {
    const outcome = await attempt(step, index, context);
    if (outcome.kind === 'done') {
      done.push(outcome);
      await journal.note({ event: 'step-done', index, notes: outcome.notes });
      continue;
    }
    await journal.note({ event: 'step-failed', index, outcome });
    const own = outcome.kind === 'failed' ? [outcome.revert] : [];
    const reverted = mergeReverts([...own, ...(await revertAll(done))]);
    await journal.note({ event: 'reverted', reverted });
    return { kind: outcome.kind, reason: outcome.reason, reverted };
  }
  return { kind: 'done', notes: done.flatMap(({ notes }) => notes) };
}

/** An expected error comes from what could not be recorded, and that is always before the write. */
async function attempt(
  step: Step,
  index: number,
  { host, journal, timeoutMs }: ApplyContext,
): Promise<StepOutcome> {
  const { title } = describeStep(step);
  try {
    await journal.record({ event: 'step', index, title, step });
    return await applyStep(step, { host, timeoutMs, backUp: journal.backUp });
  } catch (error) {
    if (!(error instanceof DoctorError)) throw error;
    return {
      kind: 'failed',
      reason: error.message,
      revert: { complete: true, notes: [`not begun: ${title}`] },
    };
  }
}

async function revertAll(done: readonly Extract<StepOutcome, { kind: 'done' }>[]): Promise<RevertOutcome[]> {
  const reverted: RevertOutcome[] = [];
  for (const { revert } of done.toReversed()) reverted.push(await revert());
  return reverted;
}

function mergeReverts(reverts: readonly RevertOutcome[]): RevertOutcome {
  return {
    complete: reverts.every(({ complete }) => complete),
    notes: reverts.flatMap(({ notes }) => notes),
  };
}
