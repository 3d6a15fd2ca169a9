import type { NodeFacts } from '../../facts/cluster-nodes.ts';
import type { CoreDnsDeployment, Toleration } from '../../facts/dns/coredns.ts';

/** Why a node takes no new pod of CoreDNS, in a few words; undefined when it does. */
export function whyNotUsable(
  { ready, unschedulable, taints }: NodeFacts,
  { tolerations }: Pick<CoreDnsDeployment, 'tolerations'>,
): string | undefined {
  if (!ready) return 'is not ready';
  if (unschedulable) return 'is cordoned';
  const taint = taints.find(
    ({ effect, key, value }) =>
      (effect === 'NoSchedule' || effect === 'NoExecute') &&
      !ofCondition.has(key) &&
      !tolerations.some((toleration) => tolerates(toleration, { effect, key, value })),
  );
  if (taint === undefined) return undefined;
  return `has the taint ${taint.key}${taint.value ? `=${taint.value}` : ''}:${taint.effect}, which CoreDNS does not tolerate`;
}

/** These follow from what was looked at above, and go within seconds once it is well again. */
const ofCondition = new Set([
  'node.kubernetes.io/not-ready',
  'node.kubernetes.io/unreachable',
  'node.kubernetes.io/unschedulable',
]);

type Taint = NodeFacts['taints'][number];

function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key === undefined) return operator === 'Exists';
  return key === taint.key && (operator === 'Exists' || (value ?? '') === (taint.value ?? ''));
}
