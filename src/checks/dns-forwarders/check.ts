/**
 * dns-forwarders: whether the servers answer that CoreDNS forwards to, and which could take their place.
 * Pure functions of facts; what each server answered is one of them.
 */
import { type Check, type Diagnosis, defineCheck, withoutFindings } from '../../engine/check.ts';
import { type Judged, planEach } from '../../engine/judged.ts';
import { clusterNodesFact } from '../../facts/cluster-nodes.ts';
import { candidatesFact } from '../../facts/dns/candidates.ts';
import { clusterAnswersFact } from '../../facts/dns/cluster-answers.ts';
import { coreDnsFact } from '../../facts/dns/coredns.ts';
import { liveCorefileFact } from '../../facts/dns/corefile.ts';
import { coreDnsMetricsFact } from '../../facts/dns/metrics.ts';
import { describeOtherDns } from '../../facts/dns/other-dns.ts';
import { packagedFact } from '../../facts/dns/packaged.ts';
import { placementFact } from '../../facts/dns/placement.ts';
import { presenceFact } from '../../facts/dns/presence.ts';
import { resolversFact } from '../../facts/dns/resolvers.ts';
import { upstreamAnswersFact } from '../../facts/dns/upstream-answers.ts';
import { upstreamsFact } from '../../facts/dns/upstreams.ts';
import { rootForward } from './corefile-place.ts';
import { judgeByWorld, judgeZone } from './find-faults.ts';
import { describeSeen, unjudged } from './limits.ts';
import { findNotLasting, findShadowed } from './other-faults.ts';
import type { Seen } from './seen.ts';
import { worldOf } from './world.ts';
import { zonesOf } from './zones.ts';

export const dnsForwarders: Check = defineCheck({
  id: 'dns-forwarders',
  title: 'What CoreDNS forwards to answers',
  failureTitle: 'Something is wrong with what CoreDNS forwards to',
  severity: 'error',
  why: 'A forwarder that is blocked fails without a word: pods resolve the cluster and nothing else.',
  recurs: true,
  facts: {
    live: liveCorefileFact,
    upstreams: upstreamsFact,
    answers: upstreamAnswersFact,
    candidates: candidatesFact,
    cluster: clusterAnswersFact,
    coreDns: coreDnsFact,
    metrics: coreDnsMetricsFact,
    packaged: packagedFact,
    resolvers: resolversFact,
    placement: placementFact,
    nodes: clusterNodesFact,
    presence: presenceFact,
  },
  diagnose(facts, config) {
    const seen: Seen = { ...facts, config };
    const { live, upstreams, coreDns, presence } = seen;
    if (presence.kind === 'absent') return withoutFindings('skipped', [presence.reason]);
    if (coreDns.deployment.kind === 'absent') return withoutFindings('skipped', [describeOtherDns(coreDns)]);
    if (upstreams.kind === 'unavailable') return withoutUpstreams(seen, upstreams);
    const zones = zonesOf(seen).map((zone) => judgeZone(seen, zone));
    const others = live.kind === 'read' ? [...findShadowed(live), ...findNotLasting(seen, live)] : [];
    const root = judgeMissingRoot(seen);
    const found = [...zones, root].flatMap((faults) => faults.found);
    const doubts = [...zones, root].flatMap((faults) => faults.doubts);
    return diagnosis(seen, [...found, ...others], doubts);
  },
});

/** Nothing is known of what is asked for names of the world: CoreDNS itself may show whether it works. */
function judgeMissingRoot(seen: Seen): { found: readonly Judged[]; doubts: readonly string[] } {
  const { upstreams, live } = seen;
  const nothing = { found: [], doubts: [] };
  if (upstreams.kind !== 'known' || upstreams.upstreams.some(({ zone }) => zone === '.')) return nothing;
  if (live.kind === 'read' && !rootForward(live)) return nothing;
  const judged = judgeByWorld(
    seen,
    'what it forwards to is not known here: run "doctor fix dns-forwarders" on the node where CoreDNS runs',
  );
  if (judged) return { found: [judged], doubts: [] };
  return worldOf(seen).resolving.length > 0 ? nothing : { found: [], doubts: upstreams.doubts };
}

function withoutUpstreams(
  seen: Seen,
  { reason, forbidden }: { readonly reason: string; readonly forbidden: boolean },
): Diagnosis {
  const why = forbidden ? notForUs(reason) : whyUnknown(seen, reason);
  const judged = judgeByWorld(seen, why);
  if (judged) return diagnosis(seen, [judged], []);
  if (!forbidden) return diagnosis(seen, [], [why]);
  // Who may not know is not ill.
  return worldOf(seen).resolving.length > 0 ? diagnosis(seen, [], []) : withoutFindings('skipped', [why]);
}

function notForUs(reason: string): string {
  return `what CoreDNS forwards to is not for the credentials here to know (${reason}): run "doctor fix dns-forwarders" on a server`;
}

function whyUnknown({ live }: Seen, reason: string): string {
  if (live.kind !== 'broken') return `what CoreDNS forwards to is not known: ${reason}`;
  return `nobody knows what CoreDNS forwards to, as it cannot read its Corefile (${reason}): doctor check coredns-health`;
}

function diagnosis(seen: Seen, judged: readonly Judged[], doubts: readonly string[]): Diagnosis {
  return {
    outcome: judged.length > 0 ? 'findings' : doubts.length > 0 ? 'unknown' : 'ok',
    reasons: doubts,
    findings: judged.map(({ finding }) => finding),
    limits: unjudged(seen, doubts),
    notes: describeSeen(seen),
    plan: planEach(judged),
  };
}
