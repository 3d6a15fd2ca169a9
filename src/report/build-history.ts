import { count } from '../engine/count.ts';
import type { History } from '../engine/history/history.ts';
import type { HistoryEntry } from '../engine/history/history-entry.ts';
import type { OpenRun, RunRecord } from '../engine/history/run-record.ts';
import type { JournalledRun } from '../engine/read-journal.ts';
import { describeStep } from '../engine/steps/steps.ts';
import { describeForReport } from './build-report.ts';
import type { HistoryReport, HistoryRun, RunDetails } from './history-schema.ts';

/** All runs as one document; an open one first, as it has no line in the history yet. */
export function buildHistory(history: History, open: OpenRun | undefined, limit: number): HistoryReport {
  const undone = new Map(
    history.entries.flatMap(({ run, undoes, outcome }) =>
      undoes !== undefined && outcome === 'done' ? [[undoes, run] as const] : [],
    ),
  );
  const finished = history.entries
    .filter(({ run }) => run !== open?.run)
    .map((entry) => finishedRun(entry, undone.get(entry.run)));
  const runs = [...(open ? [openRun(open)] : []), ...finished];
  const { damagedLines, problems } = history;
  const damaged = `${count(damagedLines, 'damaged line')} of the history could not be read`;
  return {
    schemaVersion: 1,
    runs: runs.slice(0, limit),
    olderRuns: Math.max(0, runs.length - limit),
    problems: [...problems, ...(damagedLines > 0 ? [damaged] : [])],
  };
}

/** One run with what is kept of it; `run` is its line of the history. */
export function buildRunDetails(run: HistoryRun, { journal, backups }: RunRecord): RunDetails {
  const { omitted: _, ...rest } = run;
  return {
    schemaVersion: 1,
    run: journal ? { ...rest, ...fromJournal(journal) } : run,
    journal: journal ? 'kept' : 'gone',
    plan: (journal?.begin.steps ?? []).map(describeForReport),
    backups,
  };
}

function finishedRun({ notes = [], ...entry }: HistoryEntry, undoneBy: string | undefined): HistoryRun {
  return { ...entry, notes, ...(undoneBy !== undefined && { undoneBy }) };
}

function openRun({ run, journal, isAtWork }: OpenRun): HistoryRun {
  return {
    run,
    verb: journal?.begin.verb ?? null,
    by: journal?.begin.by ?? null,
    at: journal?.beganAt ?? null,
    finishedAt: null,
    why: [],
    findings: [],
    steps: [],
    ...(journal ? fromJournal(journal) : { changes: 0 }),
    outcome: isAtWork ? 'at-work' : 'killed',
    notes: [],
  };
}

/** In full, where the history is shortened. */
function fromJournal({ begin }: JournalledRun): Pick<HistoryRun, 'why' | 'findings' | 'steps' | 'changes'> {
  const steps = begin.steps.map(describeStep);
  return {
    why: begin.why.map(({ message }) => message),
    findings: begin.why.map(({ key }) => key),
    steps: steps.map(({ title }) => title),
    changes: steps.reduce((sum, { changes }) => sum + changes, 0),
  };
}
