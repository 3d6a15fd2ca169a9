import type { ClusterAnswers } from '../../facts/dns/cluster-answers.ts';
import type { CoreDns } from '../../facts/dns/coredns.ts';
import type { Placement } from '../../facts/dns/placement.ts';
import type { Judged } from './judge.ts';
import { answerOf, reachOf } from './reach.ts';
import { judgeService } from './service.ts';

/** What can be told where nobody says where its pods are: whether cluster DNS answers this node. */
export function judgeWithoutPods(
  coreDns: CoreDns,
  placement: Placement & { readonly kind: 'unavailable' },
  answers: ClusterAnswers,
): Judged & { readonly isBlind: boolean } {
  const addresses = coreDns.service.kind === 'known' ? coreDns.service.value : [];
  const reaches = addresses.map((address) => reachOf(answerOf(answers, address)));
  const isBlind = reaches.every((reach) => reach === 'unknown');
  const reason = `where CoreDNS runs is not known: ${placement.reason}`;
  return {
    isBlind,
    findings: judgeService(coreDns, answers, 'unknown'),
    steps: [],
    reasons: placement.forbidden && !isBlind ? [] : [reason],
    limits:
      placement.forbidden && !isBlind
        ? [
            `where CoreDNS runs is not known (${placement.reason}): judged is whether cluster DNS answers here`,
          ]
        : [],
    notes: addresses.map((address, at) => `cluster DNS at ${address}: ${reaches[at] ?? 'unknown'}`),
  };
}
