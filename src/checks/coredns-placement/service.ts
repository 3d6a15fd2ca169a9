import type { Finding } from '../../engine/finding.ts';
import type { ClusterAnswers } from '../../facts/dns/cluster-answers.ts';
import type { CoreDns } from '../../facts/dns/coredns.ts';
import { answerOf, evidenceOf, reachOf } from './reach.ts';

/**
 * Addresses of the Service that do not answer. Where a pod of it does, the rules for the Service are at
 * fault; where nobody knows the pods (`unknown`), that is all that can be said. Where no pod answers it
 * goes without saying.
 */
export function judgeService(
  { service }: Pick<CoreDns, 'service'>,
  answers: ClusterAnswers,
  pods: 'answer' | 'unknown',
): readonly Finding[] {
  const addresses = service.kind === 'known' ? service.value : [];
  const lost = addresses.filter((address) => reachOf(answerOf(answers, address)) === 'lost');
  return lost.map((address) => ({
    code: 'coredns-service-unreachable',
    subject: `service ${address}`,
    severity: 'error',
    message: `cluster DNS does not answer at ${address}${pods === 'answer' ? ', though CoreDNS does at the address of its pod' : ''}: pods on this node resolve no name`,
    effect: 'loses',
    evidence: evidenceOf(answerOf(answers, address), `Service kube-dns at ${address}`),
    remedy: {
      kind: 'none',
      reason:
        pods === 'answer'
          ? 'kube-proxy\'s rules or a firewall of this node are at fault: "doctor check iptables-ghosts essential-flows forward-rules"'
          : 'who runs it cannot be read with the credentials of this node: run "doctor check coredns-placement flannel-vtep" on a server',
    },
  }));
}
