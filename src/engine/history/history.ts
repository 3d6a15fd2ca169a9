/** history/: what was done on this node, by whom and why; and how much of the past is kept. */
import type { Config } from '../../config/config.ts';
import type { Host, WriteResult } from '../../host/host.ts';
import { jsonLine } from '../json-line.ts';
import { type HistoryEntry, parseEntry } from './history-entry.ts';

export interface History {
  /** Newest first. */
  readonly entries: readonly HistoryEntry[];
  /** How many lines could not be read. */
  readonly damagedLines: number;
  /** Files that could not be read, a line each. */
  readonly problems: readonly string[];
}

const maxFileBytes = 1024 * 1024;
const maxOldFiles = 3;
const maxReasons = 20;
const maxItems = 100;

/**
 * Adds a run to the history. To be called with the lock held. A run that is there already is not added
 * again: one that was killed right after this is brought to its end once more by the next.
 */
export async function appendHistory(host: Host, config: Config, entry: HistoryEntry): Promise<WriteResult> {
  const path = historyFile(config);
  const file = await host.readFile(path, 'latin1');
  const text = file.kind === 'read' ? file.text : '';
  if (text.split('\n').some((line) => parseEntry(line)?.run === entry.run)) return { kind: 'written' };
  const line = jsonLine(shorten(entry));
  const isFull = text.length + line.length + 1 > maxFileBytes;
  const isRotated = isFull && text !== '' && (await rotate(host, config, text));
  // A line that was cut short by a loss of power must not swallow this one.
  const isTorn = !isRotated && text !== '' && !text.endsWith('\n');
  return host.appendDurably(path, isTorn ? `\n${line}` : line);
}

/** Reads all of the history that is kept. */
export async function readHistory(host: Host, config: Config): Promise<History> {
  const entries = new Map<string, HistoryEntry>();
  const problems: string[] = [];
  let damagedLines = 0;
  for (let age = 0; age <= maxOldFiles; age++) {
    const path = historyFile(config, age);
    const file = await host.readFile(path);
    if (file.kind === 'unreadable') problems.push(`${path} cannot be read: ${file.reason}`);
    if (file.kind !== 'read') continue;
    for (const line of file.text.split('\n').reverse()) {
      if (line === '') continue;
      const entry = parseEntry(line);
      if (!entry) damagedLines++;
      // Killed while it made place for a new file, the same lines are there twice.
      else entries.set(entry.run, entry);
    }
  }
  return { entries: [...entries.values()], damagedLines, problems };
}

/** Says whether there is room in the current file now; if not, it is better too long than incomplete. */
async function rotate(host: Host, config: Config, text: string): Promise<boolean> {
  for (let age = maxOldFiles; age > 1; age--) {
    const older = await host.readFile(historyFile(config, age - 1), 'latin1');
    if (older.kind !== 'read') continue;
    const moved = await host.writeDurably(historyFile(config, age), older.text);
    if (moved.kind === 'failed') return false;
  }
  const moved = await host.writeDurably(historyFile(config, 1), text);
  if (moved.kind === 'failed') return false;
  return (await host.removeFile(historyFile(config))).kind === 'written';
}

function shorten(entry: HistoryEntry): HistoryEntry {
  const { why, findings, steps, notes } = entry;
  const lists = [
    ['why', why, maxReasons],
    ['findings', findings, maxItems],
    ['steps', steps, maxItems],
    ['notes', notes ?? [], maxItems],
  ] as const;
  const long = lists.filter(([, list, max]) => list.length > max);
  if (long.length === 0) return entry;
  return {
    ...entry,
    ...Object.fromEntries(long.map(([name, list, max]) => [name, list.slice(0, max)])),
    omitted: Object.fromEntries(long.map(([name, list, max]) => [name, list.length - max])),
  };
}

function historyFile({ paths }: Config, age = 0): string {
  return `${paths.state}/history.jsonl${age === 0 ? '' : `.${age}`}`;
}
