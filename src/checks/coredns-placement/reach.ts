import type { Evidence } from '../../engine/finding.ts';
import type { NodeFacts } from '../../facts/cluster-nodes.ts';
import type { ClusterAnswers } from '../../facts/dns/cluster-answers.ts';
import type { ServerAnswer, Tried } from '../../facts/dns/server-answer.ts';
import { isAnswered, serverKey } from '../../facts/dns/server-answer.ts';
import { innerAddress, type OverlayAnswer, type OverlayAnswers } from '../../facts/overlay.ts';
import { isSelf, type PlacedPod, type Seen } from './seen.ts';

/** Whether what asks by UDP, as pods do, gets a word back; which word is the business of others. */
export type Reach = 'reached' | 'lost' | 'unknown';

export function answerOf({ cluster }: ClusterAnswers, address: string): ServerAnswer | undefined {
  return cluster.get(serverKey({ server: address, port: 53 }));
}

export function reachOf(answer: ServerAnswer | undefined): Reach {
  const { udp, tcp } = answer?.byProtocol ?? {};
  const verdict = udp && udp.verdict !== 'not-asked' ? udp.verdict : tcp?.verdict;
  if (verdict === undefined || verdict === 'not-asked') return 'unknown';
  return verdict === 'timed-out' || verdict === 'blocked' ? 'lost' : 'reached';
}

/** A pod that is not ready is left to coredns-health, unless its node is gone, too. */
export function reachOfPod({ answers }: Seen, { pod, node }: PlacedPod): Reach {
  if (pod.address === undefined || (!pod.ready && node?.ready !== false)) return 'unknown';
  return reachOf(answerOf(answers, pod.address));
}

/**
 * Neither name nor address of a pod is in it: it is to read the same after a repair that failed has been
 * taken back, when another pod is in the same plight. Nor is how long an answer took.
 */
export function evidenceOf(answer: ServerAnswer | undefined, what: string): readonly Evidence[] {
  const said = (protocol: string, tried: Tried | undefined): readonly Evidence[] =>
    tried === undefined || tried.verdict === 'not-asked'
      ? []
      : [{ source: `${protocol} query to ${what}`, observed: isAnswered(tried) ? 'answered' : tried.detail }];
  return [...said('UDP', answer?.byProtocol.udp), ...said('TCP', answer?.byProtocol.tcp)];
}

/** Whether a node's end of the overlay answers; of a cluster with two families the worse of both. */
export function overlayOf(answers: OverlayAnswers, { podCidrs }: NodeFacts): OverlayAnswer | undefined {
  if (answers.kind === 'not-asked') return undefined;
  const all = podCidrs.flatMap((cidr) => answers.answers.get(innerAddress(cidr)) ?? []);
  return byWorth.find((answer) => all.includes(answer));
}

const byWorth = ['silent', 'small-only', 'unknown', 'answered'] as const;

/** Whether pods on that node would be reached from here. */
export function reachOfNode(seen: Pick<Seen, 'nodes' | 'overlayAnswers'>, node: NodeFacts): Reach {
  if (isSelf(seen, node)) return 'reached';
  const answer = overlayOf(seen.overlayAnswers, node);
  if (answer === undefined || answer === 'unknown') return 'unknown';
  return answer === 'answered' ? 'reached' : 'lost';
}
