/**
 * coredns-health: coredns runs as it is configured.
 */
import { type Check, defineCheck, planNothing } from '../../engine/check.ts';

export const corednsHealth: Check = defineCheck({
  id: 'coredns-health',
  title: 'CoreDNS runs as it is configured',
  failureTitle: 'CoreDNS does not run as it is configured',
  severity: 'error',
  why: 'CoreDNS goes on with its last good configuration, and dies of the new one when its pod restarts.',
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
