import type { Config } from '../config/config.ts';
import { DoctorError } from '../doctor-error.ts';
import type { Host, WriteResult } from '../host/host.ts';
import type { Step } from './step.ts';

/**
 * What a run does, on disk before it does it: `<state>/journal/<run>.jsonl`, one JSON line for each
 * event, each synced. A line that announces a change and cannot be written stops the run before it.
 *
 * `<state>/journal/open` names the run that is at work, or that was killed at it: it is written
 * before the first line and removed after the last. Whoever holds the lock and finds it settles that
 * run first.
 */
export interface Journal {
  readonly runId: string;
  /** Throws a DoctorError when it cannot be written: what it announces must not be done then. */
  record(event: JournalEvent): Promise<void>;
  /** For what is done already; says whether it could be written. */
  note(event: JournalEvent): Promise<boolean>;
  /** Keeps what is about to change; returns its path. Throws like `record`. */
  backUp(name: string, text: string): Promise<string>;
}

export type JournalEvent =
  | BeginEvent
  /** About to be done; what the node was like before is in `backup`. */
  | { readonly event: 'step'; readonly index: number; readonly backup: string }
  /** Verified. `wasDone`: nothing had to be written. */
  | {
      readonly event: 'step-done';
      readonly index: number;
      readonly wasDone: boolean;
      readonly notes: readonly string[];
    }
  | { readonly event: 'step-failed'; readonly index: number; readonly reason: string }
  | { readonly event: 'armed'; readonly switch: string }
  /** The probes passed after the last step: from here on the run stands. */
  | { readonly event: 'confirmed' }
  | { readonly event: 'reverting'; readonly why: string }
  | { readonly event: 'reverted'; readonly complete: boolean; readonly notes: readonly string[] }
  | { readonly event: 'end'; readonly outcome: RunOutcome; readonly reason?: string };

/**
 * `done`: applied, verified, confirmed. `reverted`: taken back, the node is as before.
 * `incomplete`: something could not be taken back. `moved-on`, `stopped`: given up before its end,
 * because the node had changed or somebody asked for it; the node is as before.
 */
export type RunOutcome = 'done' | 'reverted' | 'incomplete' | 'moved-on' | 'stopped';

export interface BeginEvent {
  readonly event: 'begin';
  readonly verb: 'fix' | 'undo' | 'install' | 'uninstall';
  /** Who asked for it. */
  readonly by: string;
  readonly pid: number;
  /** When that process started, in clock ticks since boot: a pid alone may be somebody else by now. */
  readonly processStart: string;
  /** The kernel's rules do not survive what changes this. */
  readonly bootId: string;
  /** Findings to be repaired. */
  readonly why: readonly RepairedFinding[];
  /** The run that an undo takes back. */
  readonly undoes?: string;
  readonly steps: readonly Step[];
  /** What answered before; compared with after. */
  readonly probes: readonly ProbeResult[];
}

export interface RepairedFinding {
  /** `findingKey` */
  readonly key: string;
  readonly message: string;
  /** `findingDigest` */
  readonly digest: string;
}

export interface ProbeResult {
  readonly probe: 'api' | 'ssh' | 'dns' | 'peer';
  readonly passed: boolean;
  /** One line for a person. */
  readonly detail: string;
  /**
   * Of ssh: where in the rules a connection may be lost, such as `iptables-nft filter INPUT`; of whom it is
   * known that he is shut out, such as `from 192.0.2.7: iptables-nft filter INPUT`.
   */
  readonly mayLose?: readonly string[];
}

export function openJournal(host: Host, config: Config, runId: string): Journal {
  const file = journalFile(config, runId);
  const append = (event: JournalEvent) =>
    host.appendDurably(file, JSON.stringify({ at: host.now().toISOString(), ...event }));
  return {
    runId,
    async record(event) {
      check(await append(event), file);
    },
    async note(event) {
      return (await append(event)).kind === 'written';
    },
    async backUp(name, text) {
      const path = backupFile(config, runId, name);
      check(await host.writeDurably(path, text), path);
      return path;
    },
  };
}

export function journalFile({ paths }: Config, runId: string): string {
  return `${paths.state}/journal/${runId}.jsonl`;
}

export function backupFile({ paths }: Config, runId: string, name: string): string {
  return `${paths.state}/backups/${runId}/${name}`;
}

export function openRunFile({ paths }: Config): string {
  return `${paths.state}/journal/open`;
}

function check(result: WriteResult, path: string): void {
  if (result.kind === 'written') return;
  throw new DoctorError('fix-failed', `cannot write ${path}: ${result.reason}`, {
    hint: 'free space or make it writable: nothing is changed that cannot be recorded first',
  });
}
