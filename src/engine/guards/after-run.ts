import type { Config } from '../../config/config.ts';
import type { RunOutcome } from '../journal.ts';
import type { Breaker, FindingState, State } from './state.ts';
import { minutesAfter } from './times.ts';

/** A finding that a run was to repair, as `decide` names it. */
export interface TriedFinding {
  readonly key: string;
  /** `findingDigest`; without it the next sighting's counts. */
  readonly digest?: string | undefined;
}

export interface EndedRun {
  readonly outcome: RunOutcome;
  readonly findings: readonly TriedFinding[];
  readonly config: Config;
  readonly now: Date;
}

/**
 * What is remembered of a fix that has come to an end, a person's or not. The breaker stays on its
 * count when its time is over, so that the first failure after it opens it again.
 */
export function afterRun(state: State, { outcome, findings, config, now }: EndedRun): State {
  if (outcome === 'moved-on') return state;
  const at = now.toISOString();
  if (outcome === 'stopped')
    return { ...state, findings: { ...state.findings, ...restOf(state, findings, at) } };
  const tried = findings.map(({ key, digest }): [string, FindingState] => {
    const before = state.findings[key];
    return [key, outcome === 'done' ? repaired(before, at) : failed(before, at, digest)];
  });
  return {
    ...state,
    findings: { ...state.findings, ...Object.fromEntries(tried) },
    breaker: outcome === 'done' ? { failures: 0 } : trip(state.breaker, config, now),
  };
}

/** What is remembered of a person having taken a run back: it is not done again unattended. */
export function afterUndo(
  state: State,
  {
    findings,
    runId,
    now,
  }: { readonly findings: readonly TriedFinding[]; readonly runId: string; readonly now: Date },
): State {
  const at = now.toISOString();
  const undone = findings.map(({ key, digest }): [string, FindingState] => {
    const { plan: _, ...before } = state.findings[key] ?? never(at);
    return [key, { ...before, ...planOf(digest), seen: 0, lastAttemptAt: at, undoneBy: runId }];
  });
  return { ...state, findings: { ...state.findings, ...Object.fromEntries(undone) } };
}

/** Nobody's fault; but a timer that is stopped each time must not write and take back each time. */
function restOf(state: State, findings: readonly TriedFinding[], at: string): State['findings'] {
  return Object.fromEntries(
    findings.map(({ key }) => [key, { ...(state.findings[key] ?? never(at)), lastAttemptAt: at }]),
  );
}

function never(at: string): FindingState {
  return { seen: 0, lastSeenAt: at, failedAttempts: 0 };
}

function repaired(before: FindingState | undefined, at: string): FindingState {
  const { lastAttemptAt, failedAttempts, repeats = 0 } = before ?? never(at);
  const isRepeat =
    lastAttemptAt !== undefined &&
    failedAttempts === 0 &&
    Math.abs(Date.parse(at) - Date.parse(lastAttemptAt)) < repeatMs;
  return {
    ...{ seen: 0, lastSeenAt: before?.lastSeenAt ?? at, lastAttemptAt: at, failedAttempts: 0 },
    ...(isRepeat && { repeats: repeats + 1 }),
  };
}

/** A reboot or two in that time are nothing; whoever takes it away again and again is quicker. */
const repeatMs = 60 * 60_000;

function failed(before: FindingState | undefined, at: string, digest: string | undefined): FindingState {
  const { plan, ...memory } = before ?? never(at);
  const isOther = plan !== undefined && digest !== undefined && plan !== digest;
  const { undoneBy: _, ...fresh } = memory;
  return {
    ...(isOther ? fresh : memory),
    ...planOf(digest ?? plan),
    lastAttemptAt: at,
    failedAttempts: (isOther ? 0 : memory.failedAttempts) + 1,
  };
}

function planOf(digest: string | undefined): Pick<FindingState, 'plan'> {
  return digest === undefined ? {} : { plan: digest };
}

function trip({ failures }: Breaker, { guards }: Config, now: Date): Breaker {
  const { breaker } = guards;
  if (failures + 1 < breaker.failures) return { failures: failures + 1 };
  return { failures: failures + 1, openUntil: minutesAfter(now, breaker.minutes) };
}
