import type { BeginEvent, RunOutcome } from '../journal.ts';
import type { Site } from '../site.ts';
import { afterRun, afterUndo } from './after-run.ts';
import { readState, writeState } from './state-file.ts';

/**
 * Keeps what a run that has ended means for those to come, whoever brought it to its end. Returns a line
 * for the report when that cannot be kept.
 */
export async function rememberRun(
  runId: string,
  { begin, outcome }: { readonly begin: BeginEvent; readonly outcome: RunOutcome },
  { host, config }: Site,
): Promise<string | undefined> {
  const { verb, why: findings } = begin;
  const isUndone = verb === 'undo' && outcome === 'done';
  if (findings.length === 0 || (verb !== 'fix' && !isUndone)) return undefined;
  const { state, problem } = await readState(host, config);
  // The next run sets such a file aside; nothing counts as seen then, which holds everything back.
  if (problem !== undefined || state.lastRun === runId) return undefined;
  const now = host.now();
  const next = isUndone
    ? afterUndo(state, { findings, runId, now })
    : afterRun(state, { outcome, findings, config, now });
  const written = next === state ? undefined : await writeState(host, config, { ...next, lastRun: runId });
  return written?.kind === 'failed' ? `the state could not be written: ${written.reason}` : undefined;
}
