import type { CoreDnsMetrics } from '../../coredns/metrics.ts';
import type { Fact } from '../../engine/fact.ts';

/** Of each CoreDNS pod, by its address; `http://ADDRESS:9153/metrics`. */
export type PodMetrics = ReadonlyMap<
  string,
  | { readonly kind: 'read'; readonly metrics: CoreDnsMetrics }
  | { readonly kind: 'unavailable'; readonly reason: string }
>;

export const coreDnsMetricsFact: Fact<PodMetrics> = {
  id: 'coredns-metrics',
  async gather() {
    throw new Error('not built yet');
  },
};
