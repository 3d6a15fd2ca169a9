import type { Diagnosis } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import type { Step } from '../../engine/step.ts';
import { judgeLasting } from './lasting.ts';
import { decideMove } from './move.ts';
import { judgeOffPolicy, judgeUnplaced } from './off-policy.ts';
import { answerOf, reachOfPod } from './reach.ts';
import { listing, type Seen } from './seen.ts';
import { judgeService } from './service.ts';
import { judgeSingle } from './single.ts';
import { judgeUnreachable } from './unreachable.ts';

export type Judged = Pick<Diagnosis, 'findings' | 'reasons' | 'limits' | 'notes'> & {
  /** What all findings whose remedy is planned are repaired by, together. */
  readonly steps: readonly Step[];
};

/** Where its pods are known. */
export function judgeSeen(seen: Seen): Judged {
  const move = decideMove(seen);
  const unreachable = judgeUnreachable(seen, move);
  const isMoved = unreachable.some(isPlanned);
  const moved = [...unreachable, ...judgeOffPolicy(seen, move, isMoved), ...judgeUnplaced(seen, move)];
  const lasting = judgeLasting(seen, move);
  const answer = seen.placement.pods.some((placed) => reachOfPod(seen, placed) === 'reached');
  // Who is without DNS now need not be told what a second replica is good for.
  const isLost = moved.some(({ severity }) => severity === 'error');
  const findings = [
    ...moved.map((finding) => withEffect(finding, move.kind === 'move' ? move.words : undefined)),
    ...(answer ? judgeService(seen.coreDns, seen.answers, 'answer') : []),
    ...(isLost ? [] : judgeSingle(seen)),
    ...lasting.findings,
  ];
  return {
    findings,
    // A pin that is to be set cannot be one that does not last.
    steps: move.kind === 'move' ? move.steps : lasting.steps,
    ...doubtsOf(seen),
    notes: notesOf(seen),
  };
}

function isPlanned({ remedy }: Finding): boolean {
  return remedy.kind === 'planned';
}

/** What a repair comes to is told with the finding; it is no part of what it is. */
function withEffect(finding: Finding, words: string | undefined): Finding {
  if (!isPlanned(finding) || words === undefined) return finding;
  return { ...finding, evidence: [...finding.evidence, { source: 'effect', observed: words }] };
}

function doubtsOf(seen: Seen): Pick<Diagnosis, 'reasons' | 'limits'> {
  const { placement, nodes, settings, answers } = seen;
  const known = new Set(nodes.nodes.map(({ name }) => name));
  const strangers = settings.nodes.filter((name) => !known.has(name));
  const ready = placement.pods.filter(({ pod }) => pod.ready && pod.address !== undefined);
  const unasked = seen.isNode ? ready.filter((placed) => reachOfPod(seen, placed) === 'unknown') : [];
  const lines = unasked.map(({ pod }) => {
    const { udp, tcp } = answerOf(answers, pod.address ?? '')?.byProtocol ?? {};
    return `CoreDNS at ${pod.address} could not be asked from here: ${udp?.detail ?? tcp?.detail ?? 'nobody did'}`;
  });
  const isBlind = unasked.length > 0 && unasked.length === ready.length;
  return {
    reasons: [
      ...(ready.length === 0 ? ['no pod of CoreDNS is ready: "doctor check coredns-health" says why'] : []),
      ...(isBlind ? lines : []),
      ...(seen.isNode ? [] : ['this machine is no node: whether nodes reach CoreDNS cannot be seen from it']),
    ],
    limits: [
      ...(isBlind ? [] : lines),
      ...strangers.map((name) => `checks.coredns-placement.nodes: no node of this cluster is called ${name}`),
      ...(seen.isNode && nodes.self === undefined
        ? ["which of the cluster's nodes this machine is is not known"]
        : []),
      ...(seen.coreDns.deployment.kind === 'unavailable'
        ? [`what its Deployment says is not known: ${seen.coreDns.deployment.reason}`]
        : []),
    ],
  };
}

function notesOf(seen: Seen): readonly string[] {
  const { policy, allowed, pods } = seen.placement;
  return [
    `by policy (${policy}) CoreDNS may run on ${allowed.length === 0 ? 'no node that is there' : listing(allowed.map(({ name }) => name))}`,
    ...pods.map(
      (placed) =>
        `pod ${placed.pod.name} (${placed.pod.address ?? 'no address'}) on ${placed.pod.node ?? 'no node'}: ${reachOfPod(seen, placed)}`,
    ),
  ];
}
