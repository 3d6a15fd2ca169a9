import type { Config } from '../config/config.ts';
import { DoctorError } from '../doctor-error.ts';
import type { State } from '../engine/guards/state.ts';
import { readState, setAside, writeState } from '../engine/guards/state-file.ts';
import { appendHistory } from '../engine/history/history.ts';
import type { HistoryEntry } from '../engine/history/history-entry.ts';
import { latestRunId } from '../engine/history/latest-run-id.ts';
import { describeCaller } from '../engine/history/who.ts';
import { takeLock } from '../engine/lock.ts';
import { newRunId } from '../engine/run-id.ts';
import type { Host } from '../host/host.ts';

export interface StateChange {
  readonly verb: 'pause' | 'resume';
  readonly outcome: 'paused' | 'resumed';
  /** The state to be written; undefined when there is nothing to change. */
  change(state: State, caller: { readonly by: string; readonly now: Date }): State | undefined;
  /** For the history. */
  why(before: State, after: State): readonly string[];
}

export interface ChangedState {
  readonly before: State;
  /** Undefined when nothing had to be changed. */
  readonly after: State | undefined;
  /** What did not go as it should, a line each. */
  readonly problems: readonly string[];
}

/** What the command prints: its answer, and what did not go as it should. */
export interface Said {
  readonly said: string;
  readonly problems: readonly string[];
}

/**
 * A person's word on whether repairs may be made: changes the state file under the lock and notes it in
 * the history. Throws DoctorError `locked` while a run is at work, `fix-failed` when it cannot be written.
 */
export async function changeState(host: Host, config: Config, request: StateChange): Promise<ChangedState> {
  const now = host.now();
  const runId = newRunId({ now, pid: process.pid, latest: await latestRunId(host, config) });
  const lock = await takeLock({ host, config, verb: request.verb, runId });
  try {
    const reading = await readState(host, config);
    const by = await describeCaller(host, process.env);
    const before = reading.state;
    const after = request.change(before, { by, now });
    if (after === undefined) return { before, after, problems: problemsOf(reading.problem) };
    await setAside(host, config, reading);
    const written = await writeState(host, config, after);
    if (written.kind === 'failed') {
      throw new DoctorError(
        'fix-failed',
        `cannot write ${config.paths.state}/state.json: ${written.reason}`,
        {
          hint: 'nothing was changed',
        },
      );
    }
    const entry: HistoryEntry = {
      run: runId,
      verb: request.verb,
      by,
      at: now.toISOString(),
      finishedAt: host.now().toISOString(),
      why: request.why(before, after),
      findings: [],
      steps: [],
      changes: 0,
      outcome: request.outcome,
    };
    const noted = await appendHistory(host, config, entry);
    const unnoted = noted.kind === 'failed' ? `the history could not be written: ${noted.reason}` : undefined;
    return { before, after, problems: problemsOf(reading.problem, unnoted) };
  } finally {
    await lock.release();
  }
}

function problemsOf(...problems: readonly (string | undefined)[]): string[] {
  return problems.filter((problem) => problem !== undefined);
}
