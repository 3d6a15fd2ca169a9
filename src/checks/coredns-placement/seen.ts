import type { Config } from '../../config/config.ts';
import { listed } from '../../engine/listed.ts';
import type { ClusterNodes, NodeFacts } from '../../facts/cluster-nodes.ts';
import type { ClusterAnswers } from '../../facts/dns/cluster-answers.ts';
import type { CoreDns } from '../../facts/dns/coredns.ts';
import type { LiveCorefile } from '../../facts/dns/corefile.ts';
import type { Packaged } from '../../facts/dns/packaged.ts';
import type { ManifestEditor } from '../../facts/dns/pin-manifest.ts';
import type { Placement } from '../../facts/dns/placement.ts';
import type { OverlayAnswers } from '../../facts/overlay.ts';

/** All that bears on where CoreDNS runs and whether it is reached there. */
export interface Seen {
  readonly coreDns: CoreDns;
  readonly placement: Placement & { readonly kind: 'known' };
  readonly nodes: ClusterNodes & { readonly kind: 'known' };
  /** Empty where this machine is no node. */
  readonly answers: ClusterAnswers;
  /** A kubelet runs on this machine. */
  readonly isNode: boolean;
  readonly overlayAnswers: OverlayAnswers;
  readonly corefile: LiveCorefile;
  readonly packaged: Packaged;
  readonly editor: ManifestEditor | undefined;
  readonly settings: Config['checks']['coredns-placement'];
}

export type PlacedPod = (Placement & { readonly kind: 'known' })['pods'][number];

export function isSelf({ nodes }: Pick<Seen, 'nodes'>, node: NodeFacts): boolean {
  return nodes.self !== undefined && nodes.self.name === node.name;
}

/** The operator's word, and not what holds without one. */
export function isOrdered({ placement }: Pick<Seen, 'placement'>): boolean {
  return placement.policy !== 'server';
}

/** `a`, `a and b`, `a, b and c`; of very many the first. */
export function listing(words: readonly string[]): string {
  return listed(words, most);
}

const most = 6;
