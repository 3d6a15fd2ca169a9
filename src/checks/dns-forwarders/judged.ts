import type { Finding } from '../../engine/finding.ts';
import type { Step } from '../../engine/step.ts';

/** A finding, and what repairs it. */
export interface Judged {
  readonly finding: Finding;
  /** None where the remedy is not `planned`. */
  readonly steps: readonly Step[];
}

export type Repair =
  | {
      readonly kind: 'planned';
      readonly steps: readonly Step[];
      /** What it comes to, in one line. */
      readonly words: string;
    }
  | { readonly kind: 'none' | 'held'; readonly reason: string };

export function unrepaired(finding: Omit<Finding, 'remedy'>, todo: string): Judged {
  return { finding: { ...finding, remedy: { kind: 'none', reason: todo } }, steps: [] };
}

/** What the repair comes to is told with the finding. */
export function withRepair(finding: Omit<Finding, 'remedy'>, repair: Repair): Judged {
  if (repair.kind !== 'planned') return { finding: { ...finding, remedy: repair }, steps: [] };
  const evidence = [...finding.evidence, { source: 'effect', observed: repair.words }];
  return { finding: { ...finding, evidence, remedy: { kind: 'planned' } }, steps: repair.steps };
}
