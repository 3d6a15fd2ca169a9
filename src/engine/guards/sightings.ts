import type { Config } from '../../config/config.ts';
import type { Examination } from '../examine.ts';
import { type Finding, findingKey } from '../finding.ts';
import { findingDigest } from './finding-digest.ts';
import type { FindingState, State } from './state.ts';
import { ageMs, minutesAfter } from './times.ts';

/** A finding as an unattended run sees it, beside what is remembered of it. */
export interface Sighting {
  readonly finding: Finding;
  /** This sighting included. */
  readonly memory: FindingState;
  /** Packets counted since the run before, if that is known. */
  readonly grownBy: number;
}

export interface Sightings {
  readonly sightings: readonly Sighting[];
  /** The same object as before when nothing is to be remembered. */
  readonly state: State;
}

/** A sighting older than this is no second look at the same thing any more. */
const memoryMs = 24 * 60 * 60_000;
/** More findings than any plan may repair at once. */
const maxEntries = 50_000;

/**
 * Adds what an unattended run sees to what is remembered. A finding that a check does not see any
 * more, or cannot tell, starts anew; a check that did not run says nothing about its own.
 */
export function addSightings(
  before: State,
  examinations: readonly Examination[],
  { config, now }: { readonly config: Config; readonly now: Date },
): Sightings {
  const state = correctTimes(before, config, now);
  const sightings = examinations
    .filter(({ check }) => config.checks[check.id].mode === 'fix')
    .flatMap(({ check, diagnosis }) =>
      diagnosis.findings
        .filter(({ remedy }) => remedy.kind === 'planned')
        .map((finding) => {
          const key = findingKey(check.id, finding);
          return { key, sighting: look(finding, state.findings[key], now) };
        }),
    );
  const seen = sightings.map(({ key, sighting }) => [key, sighting.memory] as const);
  const seenKeys = new Set(seen.map(([key]) => key));
  const examined = new Set<string>(examinations.map(({ check }) => check.id));
  const others = Object.entries(state.findings)
    .filter(([key]) => !seenKeys.has(key))
    .map(([key, memory]) => [key, examined.has(checkOf(key)) ? unseen(memory) : memory] as const)
    .filter(([, memory]) => isWorthKeeping(memory, config, now))
    .sort(([, a], [, b]) => lastTouched(b) - lastTouched(a));
  const findings = Object.fromEntries([...seen, ...others].slice(0, maxEntries));
  const isSame = state === before && seen.length === 0 && isUnchanged(others, before);
  return {
    sightings: sightings.map(({ sighting }) => sighting),
    state: isSame ? before : { ...state, findings },
  };
}

/**
 * Times that are still to come were written before the clock was set back. They count as now, so that
 * what they hold back is held back once more, and not for as long as the clock was wrong.
 */
function correctTimes(state: State, { guards }: Config, now: Date): State {
  const latest = minutesAfter(now, guards.breaker.minutes);
  const { openUntil } = state.breaker;
  const isTooLate = openUntil !== undefined && openUntil > latest;
  const findings = Object.entries(state.findings);
  const isAhead = findings.some(([, memory]) => lastTouched(memory) > now.getTime());
  if (!isTooLate && !isAhead) return state;
  return {
    ...state,
    breaker: isTooLate ? { ...state.breaker, openUntil: latest } : state.breaker,
    findings: Object.fromEntries(findings.map(([key, memory]) => [key, correctMemory(memory, now)])),
  };
}

function correctMemory(memory: FindingState, now: Date): FindingState {
  const attempt = memory.lastAttemptAt;
  const attempted =
    attempt !== undefined && ageMs(attempt, now) < 0
      ? { ...memory, lastAttemptAt: now.toISOString() }
      : memory;
  if (ageMs(memory.lastSeenAt, now) >= 0) return attempted;
  return { ...unseen(attempted), lastSeenAt: now.toISOString() };
}

function look(finding: Finding, before: FindingState | undefined, now: Date): Sighting {
  const isAgain = before !== undefined && before.seen > 0 && ageMs(before.lastSeenAt, now) <= memoryMs;
  const packets = finding.activity?.packets;
  return {
    finding,
    memory: {
      seen: isAgain ? before.seen + 1 : 1,
      lastSeenAt: now.toISOString(),
      ...(packets !== undefined && { packets }),
      ...(before?.lastAttemptAt !== undefined && { lastAttemptAt: before.lastAttemptAt }),
      ...(before?.repeats !== undefined && { repeats: before.repeats }),
      ...verdictOn(finding, before),
    },
    grownBy: isAgain ? growth(before.packets, packets) : 0,
  };
}

/** A rule that was written anew counts from 0; that somebody writes it is no less a sign of life. */
function growth(before: number | undefined, packets: number | undefined): number {
  if (before === undefined || packets === undefined) return 0;
  return packets < before ? packets : packets - before;
}

/** What earlier repairs came to, unless it is not the same finding any more. */
function verdictOn(
  finding: Finding,
  before: FindingState | undefined,
): Pick<FindingState, 'failedAttempts' | 'plan' | 'undoneBy'> {
  if (!before || (before.failedAttempts === 0 && before.undoneBy === undefined)) return { failedAttempts: 0 };
  const plan = findingDigest(finding);
  if (before.plan !== undefined && before.plan !== plan) return { failedAttempts: 0 };
  const { failedAttempts, undoneBy } = before;
  return { failedAttempts, plan, ...(undoneBy !== undefined && { undoneBy }) };
}

function unseen(memory: FindingState): FindingState {
  if (memory.seen === 0) return memory;
  const { packets: _, ...rest } = memory;
  return { ...rest, seen: 0 };
}

function isWorthKeeping(memory: FindingState, { guards }: Config, now: Date): boolean {
  const { seen, lastAttemptAt, failedAttempts, undoneBy } = memory;
  if (seen === 0 && lastAttemptAt === undefined && failedAttempts === 0 && undoneBy === undefined)
    return false;
  // A person's word, and a repair that is given up, hold until something changes, however long that takes.
  if (undoneBy !== undefined || failedAttempts >= guards.attempts) return true;
  return now.getTime() - lastTouched(memory) <= Math.max(memoryMs, guards.cooldownMinutes * 60_000);
}

function lastTouched({ lastSeenAt, lastAttemptAt }: FindingState): number {
  return Math.max(Date.parse(lastSeenAt), lastAttemptAt === undefined ? 0 : Date.parse(lastAttemptAt));
}

function checkOf(key: string): string {
  return key.slice(0, key.indexOf(' '));
}

function isUnchanged(entries: readonly (readonly [string, FindingState])[], { findings }: State): boolean {
  return (
    entries.length === Object.keys(findings).length &&
    entries.every(([key, memory]) => findings[key] === memory)
  );
}
