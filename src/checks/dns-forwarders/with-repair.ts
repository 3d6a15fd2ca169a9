import type { Finding } from '../../engine/finding.ts';
import { type Judged, repaired } from '../../engine/judged.ts';
import type { Step } from '../../engine/step.ts';

export type Repair =
  | {
      readonly kind: 'planned';
      readonly steps: readonly Step[];
      /** What it comes to, in one line. */
      readonly words: string;
    }
  | { readonly kind: 'none' | 'held'; readonly reason: string };

/** What the repair comes to is told with the finding. */
export function withRepair(finding: Omit<Finding, 'remedy'>, repair: Repair): Judged {
  if (repair.kind !== 'planned') return { finding: { ...finding, remedy: repair }, steps: [] };
  const evidence = [...finding.evidence, { source: 'effect', observed: repair.words }];
  return repaired({ ...finding, evidence }, repair.steps);
}
