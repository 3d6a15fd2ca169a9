import type { Evidence, Finding } from '../../engine/finding.ts';
import type { Judged } from '../../engine/judged.ts';
import type { ClusterNodes } from '../../facts/cluster-nodes.ts';
import type { Overlay, OverlayAnswer, OverlayAnswers, TunnelRoute } from '../../facts/overlay.ts';
import type { Firewall } from '../../netfilter/walk/firewall.ts';
import type { NetworkReading } from '../../netfilter/walk/reading.ts';
import type { Peer } from './peers.ts';

/** Another node, and all that bears on whether it is reached. */
export interface Seen {
  readonly overlay: Overlay;
  readonly peer: Peer;
  readonly nodes: ClusterNodes & { kind: 'known' };
  readonly network: NetworkReading;
  readonly routes: ReadonlyMap<string, TunnelRoute | null>;
  readonly answers: OverlayAnswers;
  readonly firewall: Firewall;
  /** Whether another check tells what this node's own rules do to tunnel packets. */
  readonly leavesFirewall: boolean;
}

/** Looks for one cause. `answer`: of the ping; undefined where it was not asked. */
export type Judge = (seen: Seen, answer: OverlayAnswer | undefined) => readonly Judged[];

export function problem(
  { peer }: Seen,
  code: string,
  message: string,
  evidence: readonly Evidence[],
): Omit<Finding, 'remedy'> {
  const isCertain = code !== 'vtep-stale-overwrite';
  return {
    code,
    subject: `node ${peer.node.name} ${peer.podCidr}`,
    severity: isCertain ? 'error' : 'warning',
    message,
    effect: 'loses',
    evidence,
  };
}

export function nameOf({ peer }: Seen): string {
  return `node ${peer.node.name}`;
}

export function annotation(name: string): string {
  return `annotation flannel.alpha.coreos.com/${name}`;
}
