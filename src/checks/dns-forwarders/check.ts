/**
 * dns-forwarders: what coredns forwards to answers.
 */
import { type Check, defineCheck, planNothing } from '../../engine/check.ts';

export const dnsForwarders: Check = defineCheck({
  id: 'dns-forwarders',
  title: 'What CoreDNS forwards to answers',
  failureTitle: 'What CoreDNS forwards to does not answer',
  severity: 'error',
  why: 'A forwarder that is blocked fails without a word: pods resolve the cluster and nothing else.',
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
