import type { Severity } from '../engine/finding.ts';

/** What every command that examines a node takes. */
export interface RunOptions {
  readonly format: 'text' | 'json';
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

export interface FixCommandOptions extends RunOptions {
  readonly dryRun?: true;
  readonly yes?: true;
  readonly maxChanges?: number;
}
