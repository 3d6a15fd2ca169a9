import { count } from '../../engine/count.ts';
import type { Evidence, Finding } from '../../engine/finding.ts';
import type { NodeFacts } from '../../facts/cluster-nodes.ts';
import type { Move } from './move.ts';
import { answerOf, evidenceOf, overlayOf, reachOfPod } from './reach.ts';
import { remedyBy } from './remedy.ts';
import { isSelf, listing, type PlacedPod, type Seen } from './seen.ts';

/** Pods that should answer this node and do not, by the node that they run on. */
export function judgeUnreachable(seen: Seen, move: Move): readonly Finding[] {
  const pods = seen.placement.pods.filter((placed) => reachOfPod(seen, placed) === 'lost');
  const reached = seen.placement.pods.filter((placed) => reachOfPod(seen, placed) === 'reached');
  return [...Map.groupBy(pods, ({ pod }) => pod.node ?? '')].map(([name, there]) => {
    const node = there[0]?.node;
    return {
      code: 'coredns-unreachable',
      subject: `node ${name}`,
      severity: 'error',
      message: `${messageOf(seen, node, there)}: ${consequence(reached.length)}`,
      effect: 'loses',
      evidence: [
        ...evidenceOf(answerOf(seen.answers, there[0]?.pod.address ?? ''), 'CoreDNS there'),
        ...causes(seen, node),
      ],
      remedy: there.every(({ isAllowed }) => isAllowed)
        ? { kind: 'none', reason: byHand(seen, node) }
        : remedyBy(move),
    } satisfies Finding;
  });
}

function messageOf(seen: Seen, node: NodeFacts | undefined, pods: readonly PlacedPod[]): string {
  const addresses = listing(pods.map(({ pod }) => pod.address ?? pod.name));
  if (node === undefined)
    return `CoreDNS (${addresses}) does not answer, on a node that the API does not know`;
  if (isSelf(seen, node)) return `CoreDNS (${addresses}) runs on this very node and does not answer it`;
  const overlay = overlayOf(seen.overlayAnswers, node);
  if (!node.ready)
    return `CoreDNS (${addresses}) runs on node ${node.name}, which is not ready, and does not answer`;
  const why =
    overlay === 'silent'
      ? ', which this node does not reach over the overlay'
      : ' and does not answer this one';
  return `CoreDNS (${addresses}) runs on node ${node.name}${why}`;
}

function consequence(reached: number): string {
  if (reached === 0) return 'pods on this node resolve no name';
  return `questions of pods on this node that go there are lost (${count(reached, 'other')} ${reached === 1 ? 'answers' : 'answer'})`;
}

/** What flannel-vtep judges in full, if it is about that node. */
function causes(seen: Seen, node: NodeFacts | undefined): readonly Evidence[] {
  if (node === undefined) return [];
  if (!node.ready) return [{ source: `node ${node.name}`, observed: 'not ready' }];
  if (isSelf(seen, node)) return [];
  const overlay = overlayOf(seen.overlayAnswers, node);
  if (overlay === undefined || overlay === 'answered') return [];
  const announced = [node.flannel.publicIp, node.flannel.publicIpv6].filter((each) => each !== undefined);
  return [
    { source: `ping to node ${node.name} over the overlay`, observed: overlay },
    ...(announced.length === 0
      ? []
      : [
          {
            source: 'annotation flannel.alpha.coreos.com/public-ip',
            observed: `${announced.join(', ')} at ${node.name}`,
          },
        ]),
  ];
}

function byHand(seen: Seen, node: NodeFacts | undefined): string {
  if (node === undefined) return '"kubectl -n kube-system get pods -o wide" shows where it runs';
  if (isSelf(seen, node)) {
    return 'another node would not be better: "doctor check essential-flows forward-rules" says what stops it here';
  }
  if (!node.ready)
    return `node ${node.name} has to come back; the cluster replaces its pods after five minutes`;
  const elsewhere =
    seen.placement.allowed.length === 0
      ? 'no server is a node here, so name in checks.coredns-placement.nodes where it may run'
      : `it may run there; checks.coredns-placement.nodes could name other nodes`;
  const overlay = overlayOf(seen.overlayAnswers, node);
  const first =
    overlay === 'answered'
      ? `the overlay to ${node.name} works: run "doctor check essential-flows forward-rules" there`
      : `"doctor check flannel-vtep ufw-overlay" says why, here or on ${node.name}`;
  return `${first}; ${elsewhere}`;
}
