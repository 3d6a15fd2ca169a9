import { type Check, defineCheck, planNothing } from '../../engine/check.ts';

export const forwardRules: Check = defineCheck({
  id: 'forward-rules',
  title: 'Pods may send and receive through this node',
  failureTitle: 'Forwarding of pod traffic is blocked',
  severity: 'error',
  why: 'A reject or a DROP policy ahead of the pod network cuts pods off from each other and from the world, though every pod looks healthy.',
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
