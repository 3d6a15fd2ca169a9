import type { Finding } from '../../engine/finding.ts';
import type { DeadFlow } from '../../engine/step.ts';
import { type Connections, flowKey } from '../../facts/connections.ts';
import type { Claim } from '../../netfilter/claims.ts';

/** Signs of life in a ghost claim; none can be told without the kernel's list of connections. */
export function activityOf(
  { targets, packets }: Claim,
  deadFlows: readonly DeadFlow[],
  connections: Connections,
): Pick<Finding, 'activity'> {
  if (targets.length === 0 || connections.kind !== 'known') return {};
  return {
    activity: { packets, answered: deadFlows.some((flow) => connections.answered.has(flowKey(flow))) },
  };
}
