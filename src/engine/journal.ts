import type { Config } from '../config/config.ts';
import { DoctorError } from '../doctor-error.ts';
import type { Host, WriteResult } from '../host/host.ts';

/**
 * What a run does, on disk before it does it: one JSON line for each event, each synced. A line that
 * cannot be written stops the run before its change.
 */
export interface Journal {
  /** Throws a DoctorError when it cannot be written: what it announces must not be done then. */
  record(event: JournalEvent): Promise<void>;
  /** For what is done already; says whether it could be written. */
  note(event: JournalEvent): Promise<boolean>;
  /** Keeps a copy of what is about to change; returns its path. */
  backUp(name: string, text: string): Promise<string>;
}

export interface JournalEvent {
  readonly event: 'begin' | 'step' | 'step-done' | 'step-failed' | 'reverted' | 'end';
  readonly [detail: string]: unknown;
}

export function openJournal(host: Host, config: Config, runId: string): Journal {
  const file = `${config.paths.state}/journal/${runId}.jsonl`;
  const append = (event: JournalEvent) =>
    host.appendDurably(file, JSON.stringify({ at: host.now().toISOString(), ...event }));
  return {
    async record(event) {
      check(await append(event), file);
    },
    async note(event) {
      return (await append(event)).kind === 'written';
    },
    async backUp(name, text) {
      const path = `${config.paths.state}/backups/${runId}/${name}`;
      check(await host.writeDurably(path, text), path);
      return path;
    },
  };
}

/** Time first, so that names sort as the runs happened. */
export function newRunId(now: Date, pid: number): string {
  return `${now
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.(\d+)Z$/, '$1Z')}-${pid}`;
}

function check(result: WriteResult, path: string): void {
  if (result.kind === 'written') return;
  throw new DoctorError('fix-failed', `cannot write ${path}: ${result.reason}`, {
    hint: 'free space or make it writable: nothing is changed that cannot be recorded first',
  });
}
