/**
 * flannel-vtep: whether packets of Flannel's VXLAN reach the other nodes, and why not. Pure functions of
 * facts; what the other nodes answer is one of them.
 */
import { type Check, type Diagnosis, defineCheck, withoutFindings } from '../../engine/check.ts';
import { type Judged, planEach } from '../../engine/judged.ts';
import { checksumSignsFact } from '../../facts/checksum-signs.ts';
import { type ClusterNodes, clusterNodesFact } from '../../facts/cluster-nodes.ts';
import { firewallFact } from '../../facts/firewall.ts';
import { kubeComponentsFact } from '../../facts/kube-components.ts';
import { networkFact } from '../../facts/network.ts';
import {
  type Overlay,
  type OverlayAnswers,
  overlayAnswersFact,
  overlaysFact,
  tunnelRoutesFact,
} from '../../facts/overlay.ts';
import { type PodNetwork, podNetworkFact } from '../../facts/pod-network.ts';
import { judgeChecksums } from './checksums.ts';
import { judgeMtu } from './mtu.ts';
import { judgeOwnAddress } from './own-address.ts';
import { judgePeer } from './peer.ts';
import { peersOf } from './peers.ts';

export const flannelVtep: Check = defineCheck({
  id: 'flannel-vtep',
  title: 'Overlay packets reach the other nodes',
  failureTitle: 'The overlay does not reach other nodes',
  severity: 'error',
  why: 'A tunnel address that others cannot route to, or a stale entry for it, cuts all pods of one node off.',
  facts: {
    pods: podNetworkFact,
    nodes: clusterNodesFact,
    network: networkFact,
    overlays: overlaysFact,
    routes: tunnelRoutesFact,
    answers: overlayAnswersFact,
    checksums: checksumSignsFact,
    firewall: firewallFact,
    components: kubeComponentsFact,
  },
  diagnose(facts, config) {
    const { pods, nodes, overlays } = facts;
    if (pods.kind === 'absent') return withoutFindings('skipped', [pods.reason]);
    if (pods.kind === 'unavailable') return withoutFindings('unknown', [pods.reason]);
    const judgedHere = overlays.flatMap((overlay) => [
      ...judgeMtu(overlay, facts.network),
      ...judgeChecksums(overlay, facts.checksums),
    ]);
    if (nodes.kind === 'unavailable') {
      if (overlays.length === 0 && !facts.components.kubelet)
        return withoutFindings('skipped', ['no kubelet and no VXLAN link is here']);
      const reason = `the nodes of the cluster are not known: ${nodes.reason}`;
      return diagnosis(judgedHere, { reasons: [reason], notes: describeOverlays(overlays) });
    }
    if (overlays.length === 0) return withoutVxlan(pods, nodes);
    // It names the rule, and repairs it.
    const leavesFirewall = config.checks['ufw-overlay'].mode !== 'off';
    const judged = overlays.flatMap((overlay) => [
      ...judgeOwnAddress(overlay, nodes, facts.network),
      ...peersOf(nodes, overlay).flatMap((peer) =>
        judgePeer({ ...facts, overlay, peer, nodes, leavesFirewall }),
      ),
    ]);
    return diagnosis([...judged, ...judgedHere], {
      reasons: describeDoubts(nodes),
      notes: [...describeOverlays(overlays), ...describeAnswers(facts.answers)],
    });
  },
});

function withoutVxlan(pods: PodNetwork, nodes: ClusterNodes & { kind: 'known' }): Diagnosis {
  const backends = new Set(nodes.nodes.map(({ flannel }) => flannel.backend));
  if (!backends.has('vxlan'))
    return withoutFindings('skipped', ['no node of this cluster uses the VXLAN backend']);
  if (nodes.nodes.length < 2) return withoutFindings('skipped', ['this is the only node']);
  const links = pods.kind === 'known' ? pods.overlayLinks.join(', ') : '';
  return withoutFindings('unknown', [
    `the cluster uses VXLAN, and no VXLAN link can be read on this node (${links === '' ? 'there is none' : `there is ${links}`})`,
  ]);
}

function diagnosis(
  judged: readonly Judged[],
  { reasons, notes }: Pick<Diagnosis, 'reasons' | 'notes'>,
): Diagnosis {
  return {
    outcome: judged.length > 0 ? 'findings' : reasons.length > 0 ? 'unknown' : 'ok',
    reasons,
    findings: judged.map(({ finding }) => finding),
    limits: [],
    notes,
    plan: planEach(judged),
  };
}

function describeDoubts({ self, nodes }: ClusterNodes & { kind: 'known' }): readonly string[] {
  if (self !== undefined) return [];
  return [`none of the cluster's nodes is this machine (${nodes.map(({ name }) => name).join(', ')})`];
}

function describeOverlays(overlays: readonly Overlay[]): readonly string[] {
  return overlays.map(
    ({ link, vni, port, local, underlay, mtu }) =>
      `${link}: VXLAN ${vni} from ${local ?? 'any address'} over ${underlay ?? 'any link'}, port ${port}, MTU ${mtu}`,
  );
}

function describeAnswers(answers: OverlayAnswers): readonly string[] {
  if (answers.kind === 'not-asked') return [`the other nodes were not pinged: ${answers.reason}`];
  return [...answers.answers].map(([address, answer]) => `ping ${address} over the overlay: ${answer}`);
}
