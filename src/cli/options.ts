import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { Severity } from '../engine/finding.ts';

/** What every command that examines a node takes. */
export interface RunOptions {
  /** `log`: a line for each finding, for a journal. */
  readonly format: 'text' | 'json' | 'log';
  readonly output?: string;
  readonly failOn: Exclude<Severity, 'info'>;
  readonly config?: string;
  readonly kubeconfig?: string;
  readonly color: boolean;
  readonly verbose?: true;
  readonly logLevel: string;
}

export interface CheckOptions extends RunOptions {
  readonly from?: string;
  readonly record?: string;
}

/** How a command is told what the one before it knows already: the daemon runs many in one process. */
export interface Inherited {
  readonly loadedConfig?: Config;
  /** Takes the report in place of standard output. */
  readonly log?: Logger;
  readonly signal?: AbortSignal;
}

export interface FixCommandOptions extends RunOptions {
  readonly dryRun?: true;
  readonly yes?: true;
  readonly unattended?: boolean;
  readonly maxChanges?: number;
  /** In seconds. */
  readonly patience?: number;
}

export interface UndoCommandOptions extends RunOptions {
  readonly dryRun?: true;
  readonly yes?: true;
  /** For the dead man's switch: only a run that is not confirmed, after so many seconds. */
  readonly unlessConfirmed?: true;
  readonly after?: number;
}
