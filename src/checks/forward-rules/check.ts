/**
 * forward-rules: whether this node's rules let through what pods send and receive. Everything here is a
 * pure function of facts.
 */
import { type Check, defineCheck, withoutFindings } from '../../engine/check.ts';
import { firewallFact } from '../../facts/firewall.ts';
import { firewalldFact } from '../../facts/firewalld.ts';
import { podNetworkFact } from '../../facts/pod-network.ts';
import { ufwFact } from '../../facts/ufw.ts';
import { ufwBackendFact } from '../../facts/ufw-backend.ts';
import { decisionWords } from '../../netfilter/walk/decision-words.ts';
import { describeCause } from './describe.ts';
import { findCauses } from './find-causes.ts';
import { podFlows } from './flows.ts';
import { stepsFor } from './plan.ts';

export const forwardRules: Check = defineCheck({
  id: 'forward-rules',
  title: 'Pods may send and receive through this node',
  failureTitle: 'Forwarding of pod traffic is blocked',
  severity: 'error',
  why: 'A reject or a DROP policy ahead of the pod network cuts pods off from each other and from the world, though every pod looks healthy.',
  recurs: true,
  facts: {
    pods: podNetworkFact,
    firewall: firewallFact,
    ufw: ufwFact,
    ufwBackend: ufwBackendFact,
    firewalld: firewalldFact,
  },
  diagnose({ pods, firewall, ufw, ufwBackend, firewalld }) {
    if (pods.kind === 'absent') return withoutFindings('skipped', [pods.reason]);
    if (pods.kind === 'unavailable') return withoutFindings('unknown', [pods.reason]);
    const surroundings = { reading: firewall.reading, ufw, ufwBackend, firewalld };
    const { flows, notes } = podFlows(pods, firewall.reading);
    const { causes, doubts } = findCauses(firewall, { flows, pods, surroundings });
    const faults = causes.filter(({ cause }) => cause.owner !== 'policy');
    const policies = causes
      .filter(({ cause }) => cause.owner === 'policy')
      .map(({ cause }) => `${decisionWords(cause.decision)}: a network policy, which is no fault`);
    const told = [...notes, ...policies, `walked: ${describeFlows(flows)}`];
    if (faults.length === 0) return withoutFindings(doubts.length > 0 ? 'unknown' : 'ok', doubts, told);
    const repairs = faults.map((fault) => ({
      finding: describeCause(fault, pods, {
        surroundings,
        walked: new Set(flows.map(({ name }) => name)).size,
      }),
      opening: fault.opening,
    }));
    return {
      outcome: 'findings',
      reasons: doubts,
      findings: repairs.map(({ finding }) => finding),
      limits: [],
      notes: told,
      plan: (mayRepair) => {
        const chosen = repairs.filter(
          ({ finding }) => finding.remedy.kind === 'planned' && mayRepair(finding),
        );
        return {
          steps: stepsFor(
            chosen.flatMap(({ opening }) => opening ?? []),
            surroundings,
          ),
          repairs: chosen.map(({ finding }) => finding),
        };
      },
    };
  },
});

function describeFlows(flows: ReturnType<typeof podFlows>['flows']): string {
  return [...new Set(flows.map(({ name }) => name))].join(', ') || 'nothing';
}
