/**
 * essential-flows: whether what nobody can do without gets through this node's rules: pods to the API, to
 * cluster DNS and to kubelet, this node to the API, people to SSH. Pure functions of facts.
 */
import { type Check, type Diagnosis, defineCheck, planNothing, withoutFindings } from '../../engine/check.ts';
import { apiAccessFact } from '../../facts/api-access.ts';
import { firewallFact } from '../../facts/firewall.ts';
import { listeningFact } from '../../facts/listening.ts';
import { natClaimsFact } from '../../facts/nat-claims.ts';
import { podNetworkFact } from '../../facts/pod-network.ts';
import { sshAccessFact } from '../../facts/ssh-access.ts';
import { ufwFact } from '../../facts/ufw.ts';
import { type EssentialFlow, findFlows } from './flows.ts';
import { judgeFlow } from './judge.ts';

export const essentialFlows: Check = defineCheck({
  id: 'essential-flows',
  title: 'The flows a node cannot do without are open',
  failureTitle: 'A flow the node cannot do without is blocked',
  severity: 'error',
  why: 'Pods need the API and cluster DNS, the cluster needs kubelet, and you need SSH.',
  facts: {
    firewall: firewallFact,
    pods: podNetworkFact,
    claims: natClaimsFact,
    listening: listeningFact,
    ssh: sshAccessFact,
    api: apiAccessFact,
    ufw: ufwFact,
  },
  diagnose({ firewall, ...facts }, config): Diagnosis {
    const { network } = firewall.reading;
    if (network.links === undefined)
      return withoutFindings('unknown', ["this node's links could not be read"]);
    const all = findFlows({ ...facts, network, adminNetworks: config.guards.adminNetworks });
    const flows = all.filter(({ ways }) => ways.length > 0);
    if (flows.length === 0)
      return withoutFindings('skipped', ['neither SSH nor the API nor kubelet can be reached here']);
    const judged = flows.map((flow) => judgeFlow(firewall, flow, facts.ufw));
    const findings = judged.flatMap(({ findings }) => findings);
    const reasons = judged.flatMap(({ doubts }) => doubts);
    return {
      outcome: findings.length > 0 ? 'findings' : reasons.length > 0 ? 'unknown' : 'ok',
      reasons,
      findings,
      limits:
        facts.pods.kind === 'known' ? all.filter(({ ways }) => ways.length === 0).map(whyNotWalked) : [],
      notes: judged.map(({ note }) => note),
      plan: planNothing,
    };
  },
});

function whyNotWalked({ name }: EssentialFlow): string {
  return `${name}: not walked, as nothing here listens there now or no rule of kube-proxy's says where it is`;
}
