/**
 * coredns-placement: whether CoreDNS runs where its policy wants it, and is reached there. Pure functions
 * of facts; what CoreDNS answers this host is one of them.
 */
import { type Check, type Diagnosis, defineCheck, planNothing, withoutFindings } from '../../engine/check.ts';
import { clusterNodesFact } from '../../facts/cluster-nodes.ts';
import { type ClusterAnswers, clusterAnswersFact } from '../../facts/dns/cluster-answers.ts';
import { coreDnsFact } from '../../facts/dns/coredns.ts';
import { coreDnsOverlayFact } from '../../facts/dns/coredns-overlay.ts';
import { liveCorefileFact } from '../../facts/dns/corefile.ts';
import { manifestEditorFact } from '../../facts/dns/manifest-editor.ts';
import { describeOtherDns } from '../../facts/dns/other-dns.ts';
import { packagedFact } from '../../facts/dns/packaged.ts';
import { placementFact } from '../../facts/dns/placement.ts';
import { presenceFact } from '../../facts/dns/presence.ts';
import { kubeComponentsFact } from '../../facts/kube-components.ts';
import { type Judged, judgeSeen } from './judge.ts';
import { judgeWithoutPods } from './without-pods.ts';

export const corednsPlacement: Check = defineCheck({
  id: 'coredns-placement',
  title: 'CoreDNS runs where everybody reaches it',
  failureTitle: 'CoreDNS is not safely within reach',
  severity: 'error',
  why: 'Where CoreDNS is not reached no pod resolves any name, and k3s lets it run on any node.',
  recurs: true,
  facts: {
    presence: presenceFact,
    components: kubeComponentsFact,
    coreDns: coreDnsFact,
    placement: placementFact,
    nodes: clusterNodesFact,
    answers: clusterAnswersFact,
    overlayAnswers: coreDnsOverlayFact,
    corefile: liveCorefileFact,
    packaged: packagedFact,
    editor: manifestEditorFact,
  },
  diagnose({ presence, components, placement, nodes, ...facts }, config): Diagnosis {
    const { coreDns } = facts;
    if (presence.kind === 'absent') return withoutFindings('skipped', [presence.reason]);
    if (coreDns.deployment.kind === 'absent') return withoutFindings('skipped', [describeOtherDns(coreDns)]);
    // What a machine outside the cluster reaches says nothing of its nodes.
    const answers = components.kubelet ? facts.answers : noAnswers;
    if (placement.kind === 'unavailable') {
      const judged = judgeWithoutPods(coreDns, placement, answers);
      return judged.isBlind && placement.forbidden
        ? withoutFindings('skipped', [judged.reasons.join('; ')])
        : diagnosis(judged);
    }
    if (nodes.kind === 'unavailable') return withoutFindings('skipped', [nodes.reason]);
    if (placement.pods.length === 0) {
      return withoutFindings('skipped', [
        'the Deployment coredns has no pods: "doctor check coredns-health" says why',
      ]);
    }
    const settings = config.checks['coredns-placement'];
    return diagnosis(
      judgeSeen({ ...facts, answers, placement, nodes, settings, isNode: components.kubelet }),
    );
  },
});

const noAnswers: ClusterAnswers = { cluster: new Map(), world: new Map() };

function diagnosis({ steps, findings, reasons, limits, notes }: Judged): Diagnosis {
  const planned = findings.filter(({ remedy }) => remedy.kind === 'planned');
  return {
    outcome: findings.length > 0 ? 'findings' : reasons.length > 0 ? 'unknown' : 'ok',
    reasons,
    findings,
    limits,
    notes,
    plan: (mayRepair) =>
      planned.length > 0 && planned.every(mayRepair) ? { steps, repairs: planned } : planNothing(),
  };
}
