/**
 * ufw-overlay: what the other hosts of the cluster need to send to this node, and whether this node's
 * rules let it in. Everything here is a pure function of facts.
 */
import { type Check, defineCheck, withoutFindings } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import type { Step } from '../../engine/step.ts';
import { clusterFlowsFact } from '../../facts/cluster-flows.ts';
import { clusterNodesFact } from '../../facts/cluster-nodes.ts';
import { firewallFact } from '../../facts/firewall.ts';
import { firewalldFact } from '../../facts/firewalld.ts';
import { podNetworkFact } from '../../facts/pod-network.ts';
import { ufwFact } from '../../facts/ufw.ts';
import { findDeparted } from './departed.ts';
import { findGaps } from './find-gaps.ts';
import { judgeFlows } from './judge.ts';

export const ufwOverlay: Check = defineCheck({
  id: 'ufw-overlay',
  title: 'The firewall lets the cluster in',
  failureTitle: 'The firewall shuts other nodes out',
  severity: 'error',
  why: 'Every node has to let the others in for the overlay, the API and etcd; a firewall that drops one of these flows breaks it silently.',
  facts: {
    firewall: firewallFact,
    flows: clusterFlowsFact,
    nodes: clusterNodesFact,
    podNetwork: podNetworkFact,
    ufw: ufwFact,
    firewalld: firewalldFact,
  },
  diagnose({ firewall, flows, nodes, podNetwork, ufw, firewalld }, config) {
    const { peers, prune } = config.checks['ufw-overlay'];
    if (podNetwork.kind === 'absent' && nodes.kind === 'unavailable' && peers.length === 0) {
      return withoutFindings('skipped', [podNetwork.reason], flows.notes);
    }
    const judged = judgeFlows(firewall, flows.needed);
    const gaps = findGaps(judged.gaps, { reading: firewall.reading, ufw, firewalld });
    const departed = findDeparted({ ufw, nodes, peers, prune });
    const found: readonly Repair[] = [
      ...gaps,
      ...departed.map(({ finding, step }) => ({ finding, steps: step ? [step] : [] })),
    ];
    const reasons = [...flows.undetermined, ...judged.undetermined];
    if (found.length === 0) {
      if (reasons.length > 0) return withoutFindings('unknown', reasons, flows.notes);
      return flows.needed.length > 0
        ? withoutFindings('ok', [], flows.notes)
        : withoutFindings(
            'skipped',
            ['there is no other node: nobody needs anything of this one'],
            flows.notes,
          );
    }
    const repairs = leaveForLater(found.toSorted(bySeverity));
    return {
      outcome: 'findings',
      reasons,
      findings: repairs.map(({ finding }) => finding),
      limits: [],
      notes: flows.notes,
      plan: (mayRepair) => {
        const chosen = repairs.filter(
          ({ finding }) => finding.remedy.kind === 'planned' && mayRepair(finding),
        );
        return {
          steps: chosen.flatMap(({ steps }) => steps),
          repairs: chosen.map(({ finding }) => finding),
        };
      },
    };
  },
});

interface Repair {
  readonly finding: Finding;
  readonly steps: readonly Step[];
}

const severities: readonly Finding['severity'][] = ['error', 'warning', 'info'];

function bySeverity({ finding: a }: Repair, { finding: b }: Repair): number {
  return severities.indexOf(a.severity) - severities.indexOf(b.severity);
}

/** Each takes up to a second: a run has to end before the dead man's switch takes it back. */
const mostSteps = 60;

function leaveForLater(repairs: readonly Repair[]): readonly Repair[] {
  let planned = 0;
  return repairs.map((repair) => {
    planned += repair.steps.length;
    if (repair.steps.length === 0 || planned <= mostSteps) return repair;
    const reason = `one run makes ${mostSteps} changes of this kind at most: the next one goes on`;
    return { finding: { ...repair.finding, remedy: { kind: 'held', reason } }, steps: [] };
  });
}
