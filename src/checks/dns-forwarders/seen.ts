import type { Config } from '../../config/config.ts';
import type { ClusterNodes } from '../../facts/cluster-nodes.ts';
import type { Candidates } from '../../facts/dns/candidates.ts';
import type { ClusterAnswers } from '../../facts/dns/cluster-answers.ts';
import type { CoreDns } from '../../facts/dns/coredns.ts';
import type { LiveCorefile } from '../../facts/dns/corefile.ts';
import type { PodMetrics } from '../../facts/dns/metrics.ts';
import type { Packaged } from '../../facts/dns/packaged.ts';
import type { Placement } from '../../facts/dns/placement.ts';
import type { Presence } from '../../facts/dns/presence.ts';
import type { Resolvers } from '../../facts/dns/resolvers.ts';
import type { UpstreamAnswers } from '../../facts/dns/upstream-answers.ts';
import type { Upstreams } from '../../facts/dns/upstreams.ts';

/** All that is known of what CoreDNS forwards to. */
export interface Seen {
  readonly live: LiveCorefile;
  readonly upstreams: Upstreams;
  readonly answers: UpstreamAnswers;
  readonly candidates: Candidates;
  readonly cluster: ClusterAnswers;
  readonly coreDns: CoreDns;
  readonly metrics: PodMetrics;
  readonly packaged: Packaged;
  readonly resolvers: Resolvers;
  readonly placement: Placement;
  readonly nodes: ClusterNodes;
  readonly presence: Presence;
  readonly config: Config;
}

export function settingsOf({ config }: Seen): Config['checks']['dns-forwarders'] {
  return config.checks['dns-forwarders'];
}
