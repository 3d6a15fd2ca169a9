import { count } from './count.ts';
import type { StepContext } from './steps/step-kind.ts';
import { bindStep, type Change } from './steps/steps.ts';

/** A change that may have been written, and where what it changed is kept. */
export interface Written {
  readonly change: Change;
  readonly backupPath: string;
}

export interface Reverted {
  /** Whether the node is as before. */
  readonly complete: boolean;
  /** What was restored, or what could not be, a line each. */
  readonly notes: readonly string[];
  /** Something could not be looked at or written now; another try may succeed. */
  readonly retryable: boolean;
}

/**
 * Takes changes back by their inverse steps, the last one first. Safe for a change that did not happen,
 * or was taken back before: its inverse finds nothing to do. What somebody else wrote since is left
 * alone and named.
 *
 * No guard judges it by whom it locks out: it brings back the rules that people came in by, and to leave a
 * run half done would be worse.
 */
export async function revertChanges(changes: readonly Written[], context: StepContext): Promise<Reverted> {
  const all: Reverted[] = [];
  for (const change of changes.toReversed()) all.push(await revertChange(change, context));
  return {
    complete: all.every(({ complete }) => complete),
    notes: all.flatMap(({ notes }) => notes),
    retryable: all.some(({ retryable }) => retryable),
  };
}

async function revertChange({ change, backupPath }: Written, context: StepContext): Promise<Reverted> {
  const { title, changes } = change.about;
  if (!change.inverse) {
    // What changes nothing that anybody would want back leaves the node as before.
    return { complete: changes === 0, notes: [`cannot be taken back: ${title}`], retryable: false };
  }
  const incomplete = (reason: string, retryable: boolean): Reverted => {
    return { complete: false, notes: [`${reason}; as it was: ${backupPath}`], retryable };
  };
  const probed = await bindStep(change.inverse).probe(context);
  if (probed.kind === 'moved-on') return incomplete(`left as it is: ${probed.reason}`, false);
  if (probed.kind === 'failed') return incomplete(probed.reason, true);
  if (probed.kind === 'needed') {
    const written = await probed.before.apply(context);
    const verdict = await probed.before.verify(context);
    const said = written.kind === 'failed' ? `${written.reason}; ` : '';
    if (verdict.kind !== 'as-planned') return incomplete(`${said}${verdict.reason}`, true);
  }
  const missing = await change.missing(context);
  if (missing.length === 0) {
    const what = probed.kind === 'done' ? 'nothing had changed' : 'taken back';
    return { complete: true, notes: [`${what}: ${title}`], retryable: false };
  }
  const lost = incomplete(`${title}: ${count(missing.length, 'line')} could not be restored`, false);
  return { ...lost, notes: [...lost.notes, ...missing.slice(0, 20).map((line) => `missing: ${line}`)] };
}
