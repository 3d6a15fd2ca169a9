import { type Check, defineCheck, planNothing } from '../../engine/check.ts';

export const worldOpen: Check = defineCheck({
  id: 'world-open',
  title: 'No cluster port is open to the world',
  failureTitle: 'Cluster ports are open to the world',
  severity: 'warning',
  why: 'Whoever can send to the overlay port is inside the pod network; kubelet and etcd are the cluster itself.',
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
