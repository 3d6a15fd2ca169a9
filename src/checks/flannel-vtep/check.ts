import { type Check, defineCheck, planNothing } from '../../engine/check.ts';

export const flannelVtep: Check = defineCheck({
  id: 'flannel-vtep',
  title: 'Overlay packets reach the other nodes',
  failureTitle: 'The overlay does not reach other nodes',
  severity: 'error',
  why: 'A tunnel address that others cannot route to, or a stale entry for it, cuts all pods of one node off.',
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
