/**
 * host-dns: this host resolves what k3s needs.
 */
import { type Check, defineCheck, planNothing } from '../../engine/check.ts';

export const hostDns: Check = defineCheck({
  id: 'host-dns',
  title: 'This host resolves what k3s needs',
  failureTitle: 'This host does not resolve what k3s needs',
  severity: 'error',
  why: 'Images and the API are found by names that the host itself looks up, and pods inherit its resolvers.',
  facts: {},
  diagnose: () => ({
    outcome: 'skipped',
    reasons: ['not built yet'],
    findings: [],
    limits: [],
    notes: [],
    plan: planNothing,
  }),
});
