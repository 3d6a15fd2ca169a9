import type { ConntrackDeleteStep } from '../../engine/step.ts';
import { families } from '../../netfilter/ruleset.ts';
import type { TrafficGhost } from './service-ghosts.ts';

/**
 * The connections that removed rules sent to dead targets. A rule's removal does not end them: the
 * kernel translates each packet of a known connection as it did the first.
 */
export function conntrackSteps(ghosts: readonly TrafficGhost[]): ConntrackDeleteStep[] {
  return families.flatMap((family) => {
    const flows = ghosts.filter((ghost) => ghost.family === family).flatMap(({ deadFlows }) => deadFlows);
    return flows.length > 0 ? [{ kind: 'conntrack-delete' as const, family, flows }] : [];
  });
}
