import type { Diagnosis } from './check.ts';
import type { Finding } from './finding.ts';
import type { Step } from './step.ts';

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

/** Each is repaired for itself, whatever becomes of the others. */
export function planEach(judged: readonly Judged[]): Diagnosis['plan'] {
  return (mayRepair) => {
    const those = judged.filter(({ finding }) => finding.remedy.kind === 'planned' && mayRepair(finding));
    return { steps: those.flatMap(({ steps }) => steps), repairs: those.map(({ finding }) => finding) };
  };
}
