import { count } from '../../engine/count.ts';
import type { Step } from '../../engine/step.ts';
import type { NodeFacts } from '../../facts/cluster-nodes.ts';
import type { CoreDnsDeployment } from '../../facts/dns/coredns.ts';
import { type AppliedPin, applyPin } from './apply-pin.ts';
import { whyNoStart } from './new-pod.ts';
import { type Lasting, lastingOf } from './own-manifest.ts';
import { type Pin, pinOf } from './pin.ts';
import { findProof } from './proof.ts';
import { reachOfNode } from './reach.ts';
import { isOrdered, listing, type Seen } from './seen.ts';
import { whyNotUsable } from './usable.ts';

/** What a fix can do about where CoreDNS runs. */
export type Move =
  | { readonly kind: 'move'; readonly steps: readonly Step[]; readonly words: string }
  /** The Deployment says it already: its pods have not followed, or cannot. */
  | { readonly kind: 'there'; readonly pin: Pin; readonly why: string | undefined }
  | { readonly kind: 'held'; readonly reason: string };

/**
 * A new pod takes the place of one that may still serve somebody. So nothing is moved unless there is a
 * node that takes it, it will start there, and that it answers can be seen from here.
 */
export function decideMove(seen: Seen): Move {
  const { deployment } = seen.coreDns;
  if (deployment.kind !== 'known') return held(whyNoDeployment(deployment));
  const found = pinOf(seen);
  if (found.kind === 'none') return held(found.reason);
  const { pin } = found;
  const usable = seen.placement.allowed.filter((node) => isUsable(node, deployment.value));
  const applied = applyPin(deployment.value, pin, {
    nodes: seen.nodes.nodes,
    usable,
    isOrdered: isOrdered(seen),
  });
  if (applied.kind === 'blocked') return held(applied.reason);
  if (applied.fields.length === 0) {
    return {
      kind: 'there',
      pin,
      why: usable.length === 0 ? nobodyTakesIt(seen, deployment.value) : undefined,
    };
  }
  const obstacle =
    whyNotMoved(deployment.value) ??
    noPlace(seen, deployment.value, applied) ??
    noReach(seen, deployment.value, applied) ??
    whyNoStart(seen);
  if (obstacle !== undefined) return held(obstacle);
  const proof = findProof(seen);
  if (proof.kind === 'none') return held(proof.reason);
  const lasting = lastingOf(seen, pin);
  return {
    kind: 'move',
    words: `a fix pins CoreDNS to ${pin.words}${costOf(deployment.value)}; ${lastingWords(lasting)}`,
    steps: [
      {
        kind: 'kube-patch',
        title: `pin CoreDNS to ${pin.words}`,
        object: deployment.value.path,
        fields: applied.fields,
      },
      {
        kind: 'wait',
        title: `CoreDNS runs on ${pin.words}`,
        until: { kind: 'rolled-out', object: deployment.value.path },
        deadlineMs: seen.settings.rolloutSeconds * 1_000,
      },
      proof.step,
      ...(lasting.kind === 'files' ? lasting.steps : []),
    ],
  };
}

type Fitting = AppliedPin & { readonly kind: 'fits' };

function held(reason: string): Move {
  return { kind: 'held', reason };
}

function whyNoDeployment(deployment: Exclude<Seen['coreDns']['deployment'], { kind: 'known' }>): string {
  return deployment.kind === 'absent'
    ? 'there is no Deployment coredns'
    : `the Deployment coredns cannot be read: ${deployment.reason}`;
}

/** A pod that names its node goes there, is refused for its labels, and is made again without end. */
function whyNotMoved({ isPaused, nodeName }: CoreDnsDeployment): string | undefined {
  if (isPaused)
    return 'the roll-out of the Deployment coredns is paused: "kubectl -n kube-system rollout resume deployment coredns", then run this again';
  if (nodeName === undefined) return undefined;
  return `somebody has bound the Deployment coredns to node ${nodeName} (spec.template.spec.nodeName): take that away first`;
}

function isUsable(node: NodeFacts, deployment: CoreDnsDeployment): boolean {
  return whyNotUsable(node, deployment) === undefined;
}

function noPlace({ placement, nodes }: Seen, deployment: CoreDnsDeployment, { matching }: Fitting) {
  const takers = matching.filter((node) => isUsable(node, deployment));
  if (takers.length === 0) return nobodyTakesIt({ placement, nodes }, deployment);
  const others = matching.filter((node) => !takers.includes(node));
  // k3s has its pods spread over all that match, and counts those that take none as empty.
  if (others.length === 0 || deployment.replicas <= takers.length) return undefined;
  return `CoreDNS has ${count(deployment.replicas, 'replica')}, spread over all nodes that it may run on, and ${states(others, deployment)}: one would find no place. Name ${listing(takers.map(({ name }) => name))} in checks.coredns-placement.nodes to have them there`;
}

function nobodyTakesIt(
  { placement: { allowed, policy } }: Pick<Seen, 'placement' | 'nodes'>,
  deployment: CoreDnsDeployment,
): string {
  if (allowed.length > 0) return `no node that it may run on takes new pods: ${states(allowed, deployment)}`;
  return `no node of this cluster is as checks.coredns-placement.${policy === 'selector' ? 'selector' : 'nodes'} says`;
}

function states(nodes: readonly NodeFacts[], deployment: CoreDnsDeployment): string {
  return listing(nodes.map((node) => `${node.name} ${whyNotUsable(node, deployment) ?? 'does'}`));
}

function noReach(seen: Seen, deployment: CoreDnsDeployment, { matching }: Fitting): string | undefined {
  const takers = matching.filter((node) => isUsable(node, deployment));
  const reaches = takers.map((node) => reachOfNode(seen, node));
  if (reaches.includes('reached')) return undefined;
  const names = listing(takers.map(({ name }) => name));
  if (!reaches.includes('unknown')) {
    return `pods on ${names} would not be reached from here either: "doctor check flannel-vtep" says why`;
  }
  const why = seen.overlayAnswers.kind === 'not-asked' ? ` (${seen.overlayAnswers.reason})` : '';
  return `whether pods on ${names} would be reached from here is not known${why}: run it there`;
}

/** A single pod may go before the new one is ready. */
function costOf({ replicas }: CoreDnsDeployment): string {
  return replicas === 1 ? ', some seconds without DNS while its pod moves' : '';
}

function lastingWords(lasting: Lasting): string {
  switch (lasting.kind) {
    case 'not-asked':
      return 'a k3s server that starts may take the pin away, and the next fix sets it again';
    case 'done':
      return 'k3s leaves it alone';
    case 'files':
      return 'a manifest of ours makes it last';
    case 'later':
    case 'blocked':
      return `a k3s server that starts may take the pin away: ${lasting.reason}`;
  }
}
