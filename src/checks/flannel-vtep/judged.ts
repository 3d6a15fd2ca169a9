import type { Finding } from '../../engine/finding.ts';
import type { Step } from '../../engine/step.ts';

/** A finding, and what repairs it. */
export interface Judged {
  readonly finding: Finding;
  /** None where the remedy is not `planned`. */
  readonly steps: readonly Step[];
}

/** Something that only a person can decide; `todo` is what he would do. */
export function unrepaired(finding: Omit<Finding, 'remedy'>, todo: string): Judged {
  return { finding: { ...finding, remedy: { kind: 'none', reason: todo } }, steps: [] };
}

export function repaired(finding: Omit<Finding, 'remedy'>, steps: readonly Step[]): Judged {
  return { finding: { ...finding, remedy: { kind: 'planned' } }, steps };
}
