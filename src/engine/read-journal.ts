import type { Config } from '../config/config.ts';
import type { Host } from '../host/host.ts';
import { type BeginEvent, backupFile, type JournalEvent, journalFile, openRunFile } from './journal.ts';
import type { Written } from './revert.ts';
import { isRunId } from './run-id.ts';
import { bindStep } from './steps/steps.ts';

/** What the journal says of a run. */
export interface JournalledRun {
  readonly runId: string;
  readonly begin: BeginEvent;
  readonly beganAt: string;
  /** Of each step that was begun, by index: its backup, and whether it was verified. */
  readonly steps: ReadonlyMap<number, { readonly backup: string; readonly verified: boolean }>;
  /** Steps for which nothing had to be written. */
  readonly wereDone: ReadonlySet<number>;
  /** How often it was begun to be taken back. */
  readonly revertings: number;
  /** Somebody has tried that to its end, well or not. */
  readonly wasReverted: boolean;
  readonly armed: string | undefined;
  readonly confirmed: boolean;
  readonly end: Extract<JournalEvent, { event: 'end' }> | undefined;
}

/** The run that is at work or was killed at it; undefined when there is none. */
export async function readOpenRun(host: Host, config: Config): Promise<string | undefined> {
  const file = await host.readFile(openRunFile(config));
  if (file.kind === 'absent') return undefined;
  // A file that cannot be read, or is empty, still says that something is unfinished.
  return file.kind === 'read' && isRunId(file.text.trim()) ? file.text.trim() : '';
}

/** For the report. Whether somebody is at it, or it was killed, only the lock could tell. */
export function openRunNotice(run: string): string {
  return `run ${run} has not ended: it is at work, or was killed, and the next fix settles it first`;
}

/** Undefined when there is no journal of it, or it says nothing: then nothing was begun. */
export async function readJournal(
  host: Host,
  config: Config,
  runId: string,
): Promise<JournalledRun | undefined> {
  const file = await host.readFile(journalFile(config, runId), 'latin1');
  if (file.kind !== 'read') return undefined;
  const events = file.text.split('\n').flatMap(parseEvent);
  const begin = events.find((event) => event.event === 'begin');
  if (!begin) return undefined;
  const steps = new Map<number, { backup: string; verified: boolean }>();
  const wereDone = new Set<number>();
  for (const event of events) {
    if (event.event === 'step') steps.set(event.index, { backup: event.backup, verified: false });
    if (event.event !== 'step-done') continue;
    if (event.wasDone) wereDone.add(event.index);
    const step = steps.get(event.index);
    if (step) step.verified = true;
  }
  return {
    runId,
    begin,
    beganAt: begin.at,
    steps,
    wereDone,
    revertings: events.filter(({ event }) => event === 'reverting').length,
    wasReverted: events.some(({ event }) => event === 'reverted'),
    armed: events.find((event) => event.event === 'armed')?.switch,
    // One that could not be brought to disk for certain was taken back.
    confirmed:
      events.findLast(({ event }) => event === 'confirmed' || event === 'reverting')?.event === 'confirmed',
    end: events.findLast((event) => event.event === 'end'),
  };
}

/** Why a run that has no journal to go by may have changed something all the same; undefined: it was not begun. */
export async function whyUnreadable(host: Host, config: Config, runId: string): Promise<string | undefined> {
  const path = journalFile(config, runId);
  const file = await host.readFile(path, 'latin1');
  if (file.kind === 'unreadable') return `its journal ${path} cannot be read: ${file.reason}`;
  // Steps come behind the first line; that one alone, torn, announces nothing.
  const isBegun = file.kind === 'read' && file.text.split('\n').flatMap(parseEvent).length > 0;
  return isBegun ? `its journal ${path} is damaged: the line with its plan is missing` : undefined;
}

/** The changes that a run began, in order; a line for each whose backup is lost. */
export async function recallChanges(
  host: Host,
  config: Config,
  run: JournalledRun,
): Promise<{ readonly changes: readonly RecalledChange[]; readonly lost: readonly string[] }> {
  const changes: RecalledChange[] = [];
  const lost: string[] = [];
  for (const [index, { backup, verified }] of run.steps) {
    const step = run.begin.steps[index];
    if (!step) continue;
    const bound = bindStep(step);
    const backupPath = backupFile(config, run.runId, backup);
    const file = await host.readFile(backupPath, 'latin1');
    const change = file.kind === 'read' ? bound.recall(file.text) : undefined;
    if (change) changes.push({ index, change, backupPath, verified });
    else lost.push(`${bound.about.title}: its backup ${backupPath} cannot be read`);
  }
  return { changes, lost };
}

export interface RecalledChange extends Written {
  readonly index: number;
  readonly verified: boolean;
}

/**
 * The product's own words, so they are trusted as far as they can be read at all. The last line is
 * torn when the power went while it was written: it announces nothing that was done.
 */
function parseEvent(line: string): (JournalEvent & { at: string })[] {
  try {
    const event: (JournalEvent & { at: string }) | null = JSON.parse(
      // Read byte by byte, because the last one may be torn in the middle of a character.
      Buffer.from(line, 'latin1').toString('utf8'),
    );
    return typeof event?.event === 'string' ? [event] : [];
  } catch {
    return [];
  }
}
