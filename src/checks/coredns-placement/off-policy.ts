import { count } from '../../engine/count.ts';
import type { Finding } from '../../engine/finding.ts';
import type { Move } from './move.ts';
import { reachOfPod } from './reach.ts';
import { remedyBy } from './remedy.ts';
import { isOrdered, listing, type PlacedPod, type Seen } from './seen.ts';
import { whyNotUsable } from './usable.ts';

/**
 * Pods that run where they may not, by node. `isMoved`: others are unreachable for it, and all of them
 * move together.
 */
export function judgeOffPolicy(seen: Seen, move: Move, isMoved: boolean): readonly Finding[] {
  const stray = seen.placement.pods.filter(
    (placed) => !placed.isAllowed && reachOfPod(seen, placed) !== 'lost',
  );
  const byNode = Map.groupBy(stray, ({ pod }) => pod.node ?? '');
  return [...byNode].map(([name, pods]) => ({
    code: 'coredns-off-policy',
    subject: `node ${name}`,
    severity: 'warning',
    message: `CoreDNS runs on node ${name}; ${policyWords(seen)}`,
    effect: 'idle',
    evidence: [
      { source: 'pods of CoreDNS', observed: `${pods.length} on ${name}`, expected: expectedOf(seen) },
    ],
    remedy: isOrdered(seen) || isMoved ? remedyBy(move) : { kind: 'held', reason: leftAlone(seen, pods) },
  }));
}

function policyWords({ placement: { policy, allowed }, settings }: Seen): string {
  const names = listing(allowed.map(({ name }) => name));
  if (policy === 'server') return `by policy it belongs on a server (${names})`;
  if (policy === 'nodes') return `it may run on ${listing(settings.nodes)} alone`;
  return `it may run on ${allowed.length === 0 ? 'nodes that are not there' : names} alone`;
}

function expectedOf({ placement: { policy, allowed } }: Seen): string {
  return allowed.length === 0 ? `none (no node fits ${policy})` : listing(allowed.map(({ name }) => name));
}

function leftAlone(seen: Seen, pods: readonly PlacedPod[]): string {
  const all = pods.every((placed) => reachOfPod(seen, placed) === 'reached');
  const works = all ? 'it works where it is' : 'nothing shows that it is not reached there';
  return `${works}: set checks.coredns-placement.nodes to have it moved`;
}

/** Pods that no node takes: none that is left fits what they ask for. */
export function judgeUnplaced(seen: Seen, move: Move): readonly Finding[] {
  const unplaced = seen.placement.pods.filter(({ pod }) => pod.node === undefined && pod.unschedulable);
  const [first] = unplaced;
  if (first === undefined) return [];
  const others = seen.placement.pods.filter(({ pod }) => pod.ready).length;
  const { deployment } = seen.coreDns;
  const pinned = deployment.kind === 'known' ? describeSelector(deployment.value.nodeSelector) : 'not known';
  return [
    {
      code: 'coredns-unplaced',
      subject: 'pods without a node',
      severity: others === 0 ? 'error' : 'warning',
      message: `${count(unplaced.length, 'pod')} of CoreDNS found no node${others === 0 ? ', and none else is ready' : ''}: ${first.pod.unschedulable ?? ''}`,
      effect: others === 0 ? 'loses' : 'dormant',
      evidence: [{ source: 'nodeSelector of the Deployment coredns', observed: pinned }],
      remedy:
        isOrdered(seen) && move.kind !== 'there' ? remedyBy(move) : { kind: 'none', reason: byHand(seen) },
    },
  ];
}

function describeSelector(labels: Readonly<Record<string, string>> | undefined): string {
  const words = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return words.length === 0 ? 'none' : words.join(', ');
}

function byHand({ placement: { allowed }, coreDns: { deployment } }: Seen): string {
  if (deployment.kind !== 'known') return 'see "kubectl -n kube-system describe pod"';
  const states = allowed.flatMap((node) => {
    const why = whyNotUsable(node, deployment.value);
    return why === undefined ? [] : [`${node.name} ${why}`];
  });
  const why = states.length === 0 ? '' : `${listing(states)}; `;
  return `${why}it may run elsewhere once checks.coredns-placement.nodes says so, or once its nodeSelector is gone`;
}
