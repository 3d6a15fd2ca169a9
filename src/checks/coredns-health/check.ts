/**
 * coredns-health: whether CoreDNS runs as it is configured, and would start again with what is configured
 * now. Pure functions of what the API, its metrics and its log say.
 */
import { type Check, defineCheck, planNothing, withoutFindings } from '../../engine/check.ts';
import { clusterNodesFact } from '../../facts/cluster-nodes.ts';
import { type CoreDns, coreDnsFact, type Part } from '../../facts/dns/coredns.ts';
import { liveCorefileFact } from '../../facts/dns/corefile.ts';
import { coreDnsMetricsFact } from '../../facts/dns/metrics.ts';
import { describeOtherDns } from '../../facts/dns/other-dns.ts';
import { podLogsFact } from '../../facts/dns/pod-logs.ts';
import { presenceFact } from '../../facts/dns/presence.ts';
import { upstreamsFact } from '../../facts/dns/upstreams.ts';
import { nowFact } from '../../facts/now.ts';
import { judgeConfiguration } from './configuration.ts';
import { judgeLoops } from './loops.ts';
import { judgeNodeHosts } from './node-hosts.ts';
import { judgeReadiness, judgeRestarts } from './pods.ts';
import { type Judge, podsOf, type Seen } from './seen.ts';

const judges: readonly Judge[] = [
  judgeReadiness,
  judgeLoops,
  judgeConfiguration,
  judgeNodeHosts,
  judgeRestarts,
];

export const corednsHealth: Check = defineCheck({
  id: 'coredns-health',
  title: 'CoreDNS runs as it is configured',
  failureTitle: 'CoreDNS is not well, or would not start again',
  severity: 'error',
  why: 'CoreDNS goes on with its last good configuration, and dies of the new one when its pod restarts.',
  facts: {
    presence: presenceFact,
    coreDns: coreDnsFact,
    corefile: liveCorefileFact,
    metrics: coreDnsMetricsFact,
    logs: podLogsFact,
    upstreams: upstreamsFact,
    nodes: clusterNodesFact,
    now: nowFact,
  },
  diagnose({ presence, ...seen }) {
    if (presence.kind === 'absent') return withoutFindings('skipped', [presence.reason]);
    const { deployment } = seen.coreDns;
    if (deployment.kind === 'absent') return withoutFindings('skipped', [describeOtherDns(seen.coreDns)]);
    const { limits, reasons, isBlind } = missing(seen.coreDns);
    if (isBlind && reasons.length === 0) return withoutFindings('skipped', limits);
    const findings = judges.flatMap((judge) => judge(seen));
    return {
      outcome: findings.length > 0 ? 'findings' : reasons.length > 0 ? 'unknown' : 'ok',
      reasons,
      findings,
      limits: [...limits, ...(isBlind ? [] : unread(seen))],
      notes: describe(seen),
      plan: planNothing,
    };
  },
});

/** What could not be read: for want of a right, which is a limit, or for another reason. */
function missing({ deployment, pods, config, custom }: CoreDns) {
  const parts: readonly (readonly [string, Part<unknown>])[] = [
    ['how many pods there should be', deployment],
    ['its pods', pods],
    ['its Corefile and NodeHosts', config],
    ['what coredns-custom adds', custom],
  ];
  const limits: string[] = [];
  const reasons = new Set<string>();
  for (const [what, part] of parts) {
    if (part.kind !== 'unavailable') continue;
    if (part.forbidden) limits.push(`${what}: not judged (${part.reason})`);
    else reasons.add(part.reason);
  }
  const isBlind = [deployment, pods, config].every(({ kind }) => kind === 'unavailable');
  return { limits, reasons: [...reasons], isBlind };
}

/** The verdict stands without it. */
function unread(seen: Seen): readonly string[] {
  const { nodes, logs, metrics } = seen;
  const pods = podsOf(seen).filter(({ ready }) => ready);
  const ofMetrics = pods.flatMap(({ name, address }) => {
    const read = address === undefined ? undefined : metrics.get(address);
    if (read?.kind !== 'unavailable') return [];
    return [`whether pod ${name} has loaded its configuration: not known (metrics: ${read.reason})`];
  });
  const ofLogs = [...logs].flatMap(([name, log]) =>
    log.kind === 'unavailable' ? [`what pod ${name} says in its log: not read (${log.reason})`] : [],
  );
  const ofNodes = nodes.kind === 'known' ? [] : [`NodeHosts: not compared with the nodes (${nodes.reason})`];
  return [...ofMetrics, ...ofLogs, ...ofNodes];
}

function describe(seen: Seen): readonly string[] {
  const { corefile, metrics } = seen;
  return [
    ...podsOf(seen).map(({ name, node, address, ready, restarts }) => {
      const read = metrics.get(address ?? '');
      const failed =
        read?.kind === 'read' ? `, failed reloads ${read.metrics.reloadsFailed ?? 'not counted'}` : '';
      return `pod ${name} on ${node ?? 'no node'}: ${ready ? 'ready' : 'not ready'}, restarts ${restarts}${failed}`;
    }),
    ...(corefile.kind === 'read' ? corefile.doubts : []),
  ];
}
