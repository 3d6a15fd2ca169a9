import type { ConfigMapKeyStep } from '../step.ts';
import type { StepKind } from './step-kind.ts';

export const configMapKey: StepKind<ConfigMapKeyStep, object> = {
  describe: ({ key }) => ({
    title: `set ${key}`,
    command: '',
    input: undefined,
    changes: 1,
    reversible: true,
    firewall: false,
    volatile: false,
  }),
  probe: async () => ({ kind: 'failed', reason: 'not built yet' }),
  apply: async () => ({ kind: 'failed', reason: 'not built yet' }),
  verify: async () => ({ kind: 'unreadable', reason: 'not built yet' }),
  revert: () => undefined,
  backup: { name: () => 'config-map.json', print: () => '{}\n', parse: () => ({}) },
};
