import { DoctorError } from '../doctor-error.ts';
import type { Journal } from './journal.ts';
import { type Reverted, revertChanges, type Written } from './revert.ts';
import type { Step } from './step.ts';
import type { StepContext, StepDescription } from './steps/step-kind.ts';
import { type BoundStep, bindStep, type Change, describeStep } from './steps/steps.ts';

/**
 * Doing a plan.
 *
 * The goal is that a node is never left worse than it was found, whatever happens on the way.
 * - Nothing is written that is not on disk first: the step, and a backup of what it changes. If
 *   that cannot be recorded, the step is not begun.
 * - Each step is one write that happens wholly or not at all. Killed between two, or in the middle of
 *   one, the next run reads the journal and settles it (settle.ts): a plan is done or taken back.
 * - Each step looks again right before it writes and leaves everything alone if the node has moved
 *   on since the plan was made; and reads back right after.
 * - Asked to stop, it finishes the step at work, unless that only waits, begins no other, and takes all back.
 * - When a step fails, or `confirm` finds that something else stopped working, all is taken back in
 *   reverse order by inverse steps, and the report says what was restored and what could not be.
 */
export type Applied =
  | { readonly kind: 'done'; readonly notes: readonly string[] }
  | { readonly kind: Ended; readonly reason: string; readonly reverted: Reverted };

/** `stopped`: on somebody's word, which says nothing against the plan; a deadline is no such word. */
type Ended = 'moved-on' | 'stopped' | 'failed';

export interface ApplyContext extends StepContext {
  readonly journal: Journal;
  /** What answered before and does not now; undefined when nothing is amiss. */
  stillAnswers(): Promise<string | undefined>;
  /** Asked after the last step: why the plan cannot stand; undefined when it can. */
  confirm(): Promise<string | undefined>;
}

export async function applyPlan(steps: readonly Step[], context: ApplyContext): Promise<Applied> {
  const done: Written[] = [];
  try {
    return await applySteps(steps, done, context);
  } catch (error) {
    // A bug of ours. It is for the caller to report; the node is not to stay between because of it.
    await takeBack(done, { kind: 'failed', reason: 'internal error' }, context);
    throw error;
  }
}

async function applySteps(steps: readonly Step[], done: Written[], context: ApplyContext): Promise<Applied> {
  const { journal } = context;
  const notes: string[] = [];
  const askedEarly = indexToAskAt(steps);
  for (const [index, step] of steps.entries()) {
    const outcome = await attempt(bindStep(step), index, context);
    if (outcome.change) done.push(outcome.change);
    if (outcome.kind !== 'done') {
      await journal.note({ event: 'step-failed', index, reason: outcome.reason });
      return takeBack(done, { kind: outcome.kind, reason: outcome.reason }, context);
    }
    notes.push(...outcome.notes);
    await journal.note({
      event: 'step-done',
      index,
      wasDone: outcome.change === undefined,
      notes: outcome.notes,
    });
    const problem = index === askedEarly && done.length > 0 ? await context.stillAnswers() : undefined;
    if (problem !== undefined) return takeBack(done, { kind: 'failed', reason: problem }, context);
  }
  const problem = done.length > 0 ? await context.confirm() : undefined;
  if (problem !== undefined) return takeBack(done, { kind: 'failed', reason: problem }, context);
  return { kind: 'done', notes: [...notes, ...(await changedSince(steps, done, context))] };
}

/** While a plan waits others are at work: what they have made of it meanwhile is theirs, and is told. */
async function changedSince(
  steps: readonly Step[],
  done: readonly Written[],
  context: ApplyContext,
): Promise<readonly string[]> {
  if (!steps.some(({ kind }) => kind === 'wait')) return [];
  // What the kernel holds changes by itself.
  const lasting = done.filter(({ change: { about } }) => !about.volatile && !about.firewall);
  const verdicts = await Promise.all(lasting.map(({ change }) => change.verify(context)));
  return verdicts.flatMap((verdict) =>
    verdict.kind === 'not-as-planned' ? [`changed by somebody else since: ${verdict.reason}`] : [],
  );
}

/** Whoever the last change of the firewall has shut out is not to be kept waiting, if the plan waits after it. */
function indexToAskAt(steps: readonly Step[]): number | undefined {
  const last = steps.findLastIndex((step) => describeStep(step).firewall);
  return last >= 0 && steps.slice(last).some(({ kind }) => kind === 'wait') ? last : undefined;
}

/** `change`: what may have been written, and has to be taken back if the plan fails. */
type Outcome =
  | { readonly kind: 'done'; readonly notes: readonly string[]; readonly change?: Written }
  | { readonly kind: Ended; readonly reason: string; readonly change?: Written };

async function attempt(bound: BoundStep, index: number, context: ApplyContext): Promise<Outcome> {
  if (context.signal?.aborted) return stopped('before', bound.about, context.signal);
  const probed = await bound.probe(context);
  if (probed.kind !== 'needed') return probed;
  const change = probed.before;
  if (bound.about.waits) return awaitChange(change, context);
  const recorded = await recordStep(change, index, context);
  if (recorded.kind === 'failed') return recorded;
  const { backupPath } = recorded;

  const written = await change.apply(context);
  const verdict = await change.verify(context);
  if (verdict.kind === 'as-planned')
    return { kind: 'done', notes: verdict.notes, change: { change, backupPath } };
  if (written.kind === 'failed' && verdict.kind === 'not-as-planned' && !bound.about.firewall) {
    // Refused at the last moment: somebody else's word stands there now, and none of ours.
    const now = await bound.probe(context);
    if (now.kind === 'moved-on') return now;
  }
  const said = written.kind === 'failed' ? `${written.reason}; ` : '';
  return { kind: 'failed', reason: `${said}${verdict.reason}`, change: { change, backupPath } };
}

/** What it waits for is the work of others, and of the steps before it, which are taken back if it does not come. */
async function awaitChange(change: Change, context: ApplyContext): Promise<Outcome> {
  const waited = await change.apply(context);
  if (waited.kind === 'written') return { kind: 'done', notes: [] };
  if (context.signal?.aborted) return stopped('during', change.about, context.signal);
  return waited;
}

function stopped(when: 'before' | 'during', { title }: StepDescription, { reason }: AbortSignal): Outcome {
  const isTimeUp = reason instanceof Error && reason.name === 'TimeoutError';
  if (!isTimeUp) return { kind: 'stopped', reason: `asked to stop ${when}: ${title}` };
  return { kind: 'failed', reason: `no time was left before the dead man's switch: ${title}` };
}

/** A step that cannot be recorded must not be begun. */
async function recordStep({ backup }: Change, index: number, { journal }: ApplyContext) {
  try {
    const name = `${index + 1}-${backup.name}`;
    const backupPath = await journal.backUp(name, backup.text);
    await journal.record({ event: 'step', index, backup: name });
    return { kind: 'recorded', backupPath } as const;
  } catch (error) {
    if (!(error instanceof DoctorError)) throw error;
    return { kind: 'failed', reason: error.message } as const;
  }
}

async function takeBack(
  done: readonly Written[],
  why: { readonly kind: Ended; readonly reason: string },
  context: ApplyContext,
): Promise<Applied> {
  const { journal } = context;
  if (done.length > 0) await journal.note({ event: 'reverting', why: why.reason });
  const reverted = await revertChanges(done, context);
  await journal.note({ event: 'reverted', ...reverted });
  return { ...why, reverted };
}
