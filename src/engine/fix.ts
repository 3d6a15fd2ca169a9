import type { Config } from '../config/config.ts';
import { DoctorError } from '../doctor-error.ts';
import type { Host } from '../host/host.ts';
import { type Applied, applyPlan } from './apply.ts';
import type { Check } from './check.ts';
import { count } from './count.ts';
import { type Examination, examine } from './examine.ts';
import { createFactContext } from './fact.ts';
import { type Journal, openJournal } from './journal.ts';
import type { Step } from './step.ts';
import { describeStep } from './steps/steps.ts';

export interface FixOptions {
  readonly host: Host;
  readonly config: Config;
  readonly checks: readonly Check[];
  readonly runId: string;
  readonly maxChanges: number;
  /** Shown the plan; says whether to go on. `unattended` answers without a person. */
  readonly approve: Approval;
}

export type Approval =
  | { readonly kind: 'unattended' }
  | { readonly kind: 'dry-run' }
  | { readonly kind: 'ask'; readonly ask: (examinations: readonly Examination[]) => Promise<boolean> };

export interface FixResult {
  readonly examinations: readonly Examination[];
  readonly fix:
    | { readonly kind: 'nothing-to-do' }
    | { readonly kind: 'not-applied'; readonly reason: string }
    | Applied;
}

/**
 * Diagnoses, shows the plan, and does it under the lock.
 *
 * A person may think about a plan for minutes, so after his yes the node is examined again, under
 * the lock; if the plan is not the same any more he is asked again. When the node moves on between
 * plan and write, the whole is tried again, three times at most.
 */
export async function fix(options: FixOptions): Promise<FixResult> {
  let examinations = await examineNow(options);
  for (let attempt = 1; ; attempt++) {
    const steps = planOf(examinations);
    if (steps.length === 0) return { examinations, fix: { kind: 'nothing-to-do' } };
    const refused = await refuse(options, examinations, steps);
    if (refused !== undefined) return { examinations, fix: { kind: 'not-applied', reason: refused } };
    const lock = await takeLock(options);
    try {
      if (options.approve.kind === 'ask') {
        const again = await examineNow(options);
        const changed = !isSamePlan(steps, planOf(again));
        examinations = again;
        if (changed && attempt < 3) continue;
        if (changed) return { examinations, fix: { kind: 'not-applied', reason: 'the node keeps changing' } };
      }
      const applied = await applyJournalled(options, steps);
      const mayGoOn = applied.kind === 'moved-on' && applied.reverted.complete && attempt < 3;
      if (!mayGoOn) return { examinations, fix: applied };
      examinations = await examineNow(options);
    } finally {
      await lock.release();
    }
  }
}

function examineNow({ host, config, checks }: FixOptions): Promise<Examination[]> {
  return examine(checks, createFactContext(host, config));
}

function planOf(examinations: readonly Examination[]): Step[] {
  return examinations.flatMap(({ diagnosis }) => diagnosis.steps);
}

/** Why the plan is not to be applied; undefined when it is. */
async function refuse(
  { approve, maxChanges }: FixOptions,
  examinations: readonly Examination[],
  steps: readonly Step[],
): Promise<string | undefined> {
  if (approve.kind === 'dry-run') return 'dry run';
  const changes = steps.reduce((sum, step) => sum + describeStep(step).changes, 0);
  if (changes > maxChanges) {
    return `the plan makes ${count(changes, 'change')}, more than the cap of ${maxChanges}; if that is right, use --max-changes ${changes}`;
  }
  if (approve.kind === 'ask' && !(await approve.ask(examinations))) return 'not confirmed';
  return undefined;
}

async function takeLock({ host, config, runId }: FixOptions): Promise<{ release: () => Promise<void> }> {
  const holder = `pid ${process.pid}, fix, since ${host.now().toISOString()}, run ${runId}`;
  const lock = await host.lock(`${config.paths.run}/lock`, holder);
  if (lock.kind === 'held') return lock;
  if (lock.kind === 'busy') {
    throw new DoctorError('locked', `another run is at work (${lock.holder || 'unknown'})`, {
      hint: 'wait for it to end',
    });
  }
  throw new DoctorError('fix-failed', `cannot take the lock ${config.paths.run}/lock: ${lock.reason}`, {
    hint: 'nothing was changed',
  });
}

async function applyJournalled(options: FixOptions, steps: readonly Step[]): Promise<Applied> {
  const { host, config, runId } = options;
  const journal: Journal = openJournal(host, config, runId);
  await journal.record({
    event: 'begin',
    pid: process.pid,
    verb: 'fix',
    checks: options.checks.map(({ id }) => id),
  });
  const applied = await applyPlan(steps, { host, journal, timeoutMs: config.commandTimeoutMs });
  await journal.note({ event: 'end', outcome: applied.kind });
  return applied;
}

function isSamePlan(a: readonly Step[], b: readonly Step[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
