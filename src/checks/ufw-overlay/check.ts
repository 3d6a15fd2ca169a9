import { type Check, defineCheck, planNothing } from '../../engine/check.ts';

export const ufwOverlay: Check = defineCheck({
  id: 'ufw-overlay',
  title: 'The firewall lets the cluster in',
  failureTitle: 'The firewall shuts other nodes out',
  severity: 'error',
  why: 'Every node has to let the others in for the overlay, the API and etcd; a firewall that drops one of these flows breaks it silently.',
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
