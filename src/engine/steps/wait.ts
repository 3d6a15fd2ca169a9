import type { WaitStep } from '../step.ts';
import type { StepKind } from './step-kind.ts';

export const wait: StepKind<WaitStep, object> = {
  describe: ({ title }) => ({
    title,
    command: '',
    input: undefined,
    changes: 0,
    reversible: true,
    firewall: false,
    volatile: false,
  }),
  probe: async () => ({ kind: 'failed', reason: 'not built yet' }),
  apply: async () => ({ kind: 'failed', reason: 'not built yet' }),
  verify: async () => ({ kind: 'unreadable', reason: 'not built yet' }),
  revert: () => undefined,
  backup: { name: () => 'wait.json', print: () => '{}\n', parse: () => ({}) },
};
