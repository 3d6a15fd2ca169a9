import { isDeepStrictEqual } from 'node:util';
import type { FieldChange } from '../../engine/step.ts';
import type { NodeFacts } from '../../facts/cluster-nodes.ts';
import type { CoreDnsDeployment } from '../../facts/dns/coredns.ts';
import { allows, hostLabel, isOnHosts } from './node-affinity.ts';
import type { Pin } from './pin.ts';

/** What of a Deployment has to be changed so that a pin holds, and what stands against it. */
export type AppliedPin =
  /** `fields`: none where it is pinned so already. `matching`: nodes on which its pods may run then. */
  | {
      readonly kind: 'fits';
      readonly fields: readonly FieldChange[];
      readonly matching: readonly NodeFacts[];
    }
  | { readonly kind: 'blocked'; readonly reason: string };

interface Circumstances {
  readonly nodes: readonly NodeFacts[];
  /** Allowed nodes that would take the pod. */
  readonly usable: readonly NodeFacts[];
  /** The pin is the operator's word, which counts for more than what somebody wrote into the Deployment. */
  readonly isOrdered: boolean;
}

type Labels = Readonly<Record<string, string>>;

export function applyPin(
  { nodeSelector, affinity }: CoreDnsDeployment,
  pin: Pin,
  { nodes, usable, isOrdered }: Circumstances,
): AppliedPin {
  // The name of one node is an earlier pin, or as good as one.
  const { [hostLabel]: _host, ...others } = nodeSelector ?? {};
  const current: Labels = isOrdered ? others : (nodeSelector ?? {});
  const pinned = pinnedAffinity(affinity, pin, isOrdered);
  if (pinned.kind === 'blocked') return pinned;
  const rivals = Object.entries(pin.labels).filter(([key, value]) => (current[key] ?? value) !== value);
  if (rivals.length > 0 && !isOrdered) return { kind: 'blocked', reason: pinnedBySomebody(current) };
  const merged: Labels = { ...current, ...pin.labels };
  const matches = (labels: Labels, node: NodeFacts) =>
    hasLabels(node, labels) && allows(pinned.affinity, node);
  const isNarrow = usable.length > 0 && !usable.some((node) => matches(merged, node));
  if (isNarrow && !isOrdered) return { kind: 'blocked', reason: pinnedBySomebody(current, affinity) };
  const labels = isNarrow ? { ...thoseThatFit(current, usable), ...pin.labels } : merged;
  if (usable.length > 0 && !usable.some((node) => matches(labels, node))) {
    return { kind: 'blocked', reason: pinnedBySomebody(current, affinity) };
  }
  return {
    kind: 'fits',
    fields: [
      ...change('/spec/template/spec/nodeSelector', nodeSelector, isEmpty(labels) ? nodeSelector : labels),
      ...change('/spec/template/spec/affinity', affinity, pinned.affinity),
    ],
    matching: nodes.filter((node) => matches(labels, node)),
  };
}

type PinnedAffinity =
  | { readonly kind: 'affinity'; readonly affinity: unknown }
  | { readonly kind: 'blocked'; readonly reason: string };

function pinnedAffinity(affinity: unknown, pin: Pin, isOrdered: boolean): PinnedAffinity {
  // Of names of nodes alone: an earlier pin of ours, or as good as one.
  const isPin = isOrdered && isOnHosts(affinity);
  if (pin.affinity === undefined) return { kind: 'affinity', affinity: isPin ? undefined : affinity };
  if (affinity === undefined || isPin) return { kind: 'affinity', affinity: pin.affinity };
  const reason =
    'the Deployment coredns has an affinity of its own, beside which several nodes cannot be named: name one node, or use checks.coredns-placement.selector';
  return { kind: 'blocked', reason };
}

/** Without labels that no node of these has. */
function thoseThatFit(labels: Labels, usable: readonly NodeFacts[]): Labels {
  const fitting = Object.entries(labels).filter(([key, value]) =>
    usable.some((node) => hasLabels(node, { [key]: value })),
  );
  return Object.fromEntries(fitting);
}

function hasLabels(node: NodeFacts, labels: Labels): boolean {
  return Object.entries(labels).every(([key, value]) => node.labels[key] === value);
}

function pinnedBySomebody(labels: Labels, affinity?: unknown): string {
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const all = [
    ...(words.length > 0 ? [`nodeSelector ${words.join(', ')}`] : []),
    ...(affinity === undefined ? [] : ['an affinity']),
  ];
  return `somebody has pinned the Deployment coredns otherwise (${all.join(', ')}): take that away, or say where it may run in checks.coredns-placement.nodes`;
}

function isEmpty(labels: Labels): boolean {
  return Object.keys(labels).length === 0;
}

function change(pointer: string, was: unknown, value: unknown): readonly FieldChange[] {
  if (isDeepStrictEqual(was, value)) return [];
  return [{ pointer, ...(was !== undefined && { was }), ...(value !== undefined && { value }) }];
}
