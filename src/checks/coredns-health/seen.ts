import type { Evidence, Finding } from '../../engine/finding.ts';
import type { ClusterNodes } from '../../facts/cluster-nodes.ts';
import { type CoreDns, type CoreDnsPod, isAlive } from '../../facts/dns/coredns.ts';
import type { LiveCorefile } from '../../facts/dns/corefile.ts';
import type { PodMetrics } from '../../facts/dns/metrics.ts';
import { type LogSigns, type PodLogs, readSigns } from '../../facts/dns/pod-logs.ts';
import type { Upstreams } from '../../facts/dns/upstreams.ts';

/** All that bears on whether CoreDNS runs as it is configured. */
export interface Seen {
  readonly coreDns: CoreDns;
  readonly corefile: LiveCorefile;
  readonly metrics: PodMetrics;
  readonly logs: PodLogs;
  readonly upstreams: Upstreams;
  readonly nodes: ClusterNodes;
  readonly now: Date;
}

export type Judge = (seen: Seen) => readonly Finding[];

/** What only a person can decide; `todo` is what he would do. */
export function problem(finding: Omit<Finding, 'remedy'>, todo: string): Finding {
  return { ...finding, remedy: { kind: 'none', reason: todo } };
}

export function podsOf({ coreDns }: Seen): readonly CoreDnsPod[] {
  return coreDns.pods.kind === 'known' ? coreDns.pods.value.filter(isAlive) : [];
}

/** What waits for a restart does no harm while a pod answers. */
export function effectNow(seen: Seen): Finding['effect'] {
  return podsOf(seen).some(({ ready }) => ready) ? 'dormant' : 'loses';
}

export interface Refusal {
  readonly pod: CoreDnsPod;
  /** In CoreDNS' own words, where its log was read. */
  readonly reason: string | undefined;
  readonly evidence: readonly Evidence[];
}

/** Pods that did not take their configuration, and have not taken another one since as far as is known. */
export function refusalsOf(seen: Seen): readonly Refusal[] {
  return podsOf(seen).flatMap((pod): readonly Refusal[] => {
    const configuration = configurationOf(seen, pod);
    if (configuration?.kind === 'loaded') return [];
    const failed = failedReloads(seen, pod);
    const counted =
      failed > 0
        ? [
            {
              source: `metrics of pod ${pod.name}`,
              observed: `coredns_reload_failed_total ${failed}`,
              expected: '0',
            },
          ]
        : [];
    if (configuration?.kind === 'refused') {
      const { reason } = configuration;
      return [
        { pod, reason, evidence: [{ source: `log of pod ${pod.name}`, observed: reason }, ...counted] },
      ];
    }
    return failed > 0 ? [{ pod, reason: undefined, evidence: counted }] : [];
  });
}

/** Of the log, else of what Kubernetes has kept of it, which by k3s' own manifest is nothing. */
export function signsOf({ logs }: Seen, { name, lastTermination }: CoreDnsPod): LogSigns | undefined {
  const log = logs.get(name);
  if (log?.kind === 'read') return log.signs;
  return lastTermination?.message === undefined ? undefined : readSigns(lastTermination.message);
}

/** What the container before it said of its configuration counts no more where this one has started with it. */
function configurationOf(seen: Seen, pod: CoreDnsPod): LogSigns['configuration'] {
  const log = seen.logs.get(pod.name);
  const isPast = log?.kind !== 'read' || log.of === 'previous';
  return pod.ready && isPast ? undefined : signsOf(seen, pod)?.configuration;
}

function failedReloads({ metrics }: Seen, { address }: CoreDnsPod): number {
  const read = address === undefined ? undefined : metrics.get(address);
  return read?.kind === 'read' ? (read.metrics.reloadsFailed ?? 0) : 0;
}
