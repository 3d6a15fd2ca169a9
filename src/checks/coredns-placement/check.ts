/**
 * coredns-placement: coredns runs where everybody reaches it.
 */
import { type Check, defineCheck, planNothing } from '../../engine/check.ts';

export const corednsPlacement: Check = defineCheck({
  id: 'coredns-placement',
  title: 'CoreDNS runs where everybody reaches it',
  failureTitle: 'CoreDNS runs where it is not reached',
  severity: 'error',
  why: 'Where CoreDNS is not reached no pod resolves any name, and k3s lets it run on any node.',
  recurs: true,
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
