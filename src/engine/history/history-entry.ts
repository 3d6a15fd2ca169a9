import type { BeginEvent, RunOutcome } from '../journal.ts';

/** One line of `<state>/history.jsonl`. Times are ISO 8601, UTC. */
export interface HistoryEntry {
  readonly run: string;
  readonly verb: HistoryVerb;
  readonly by: string;
  readonly at: string;
  readonly finishedAt: string;
  /** A line for each finding that was to be repaired, or what a person gave as the reason. */
  readonly why: readonly string[];
  /** `findingKey` of each. */
  readonly findings: readonly string[];
  readonly steps: readonly string[];
  /** How many objects on the node the steps change. */
  readonly changes: number;
  readonly outcome: HistoryOutcome;
  /** Why it did not come out as planned. */
  readonly reason?: string;
  readonly notes?: readonly string[];
  /** The run that it took back. */
  readonly undoes?: string;
  /** How many of each list were left out; the journal has them all. */
  readonly omitted?: Readonly<Record<string, number>>;
}

export type HistoryVerb = BeginEvent['verb'] | 'pause' | 'resume';
export type HistoryOutcome = RunOutcome | 'paused' | 'resumed';

const verbs: Readonly<Record<HistoryVerb, true>> = {
  fix: true,
  undo: true,
  install: true,
  uninstall: true,
  pause: true,
  resume: true,
};

const outcomes: Readonly<Record<HistoryOutcome, true>> = {
  done: true,
  reverted: true,
  incomplete: true,
  'moved-on': true,
  stopped: true,
  paused: true,
  resumed: true,
};

/** A line of the history; undefined when it is damaged. */
export function parseEntry(line: string): HistoryEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is HistoryEntry {
  if (!isObject(value)) return false;
  const { run, verb, by, at, finishedAt, why, findings, steps, changes, outcome } = value;
  const { reason, notes, undoes, omitted } = value;
  return (
    [run, by, at, finishedAt].every(isText) &&
    isText(verb) &&
    Object.hasOwn(verbs, verb) &&
    isText(outcome) &&
    Object.hasOwn(outcomes, outcome) &&
    [why, findings, steps, notes ?? []].every((list) => Array.isArray(list) && list.every(isText)) &&
    typeof changes === 'number' &&
    [reason ?? '', undoes ?? ''].every(isText) &&
    (omitted === undefined || isObject(omitted))
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
