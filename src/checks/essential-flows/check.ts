import { type Check, defineCheck, planNothing } from '../../engine/check.ts';

export const essentialFlows: Check = defineCheck({
  id: 'essential-flows',
  title: 'The flows a node cannot do without are open',
  failureTitle: 'A flow the node cannot do without is blocked',
  severity: 'error',
  why: 'Pods need the API and cluster DNS, the cluster needs kubelet, and you need SSH.',
  facts: {},
  diagnose() {
    return {
      outcome: 'skipped',
      reasons: ['not built yet'],
      findings: [],
      limits: [],
      notes: [],
      plan: planNothing,
    };
  },
});
