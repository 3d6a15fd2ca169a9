import type { Step } from '../step.ts';
import { conntrackDelete } from './conntrack-delete.ts';
import { iptablesRemoval } from './iptables-removal.ts';
import type { StepContext, StepDescription, StepOutcome } from './step-kind.ts';

export function describeStep(step: Step): StepDescription {
  switch (step.kind) {
    case 'iptables-removal':
      return iptablesRemoval.describe(step);
    case 'conntrack-delete':
      return conntrackDelete.describe(step);
  }
}

export function applyStep(step: Step, context: StepContext): Promise<StepOutcome> {
  switch (step.kind) {
    case 'iptables-removal':
      return iptablesRemoval.apply(step, context);
    case 'conntrack-delete':
      return conntrackDelete.apply(step, context);
  }
}
