import type { Plan } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import type { ConntrackDeleteStep, DeadFlow, IptablesBatchStep } from '../../engine/step.ts';
import type { ReadTable } from '../../facts/table-readings.ts';
import { removalDigest } from '../../netfilter/removal.ts';
import { type Backend, families } from '../../netfilter/ruleset.ts';
import { findObstacles, type GhostSet } from './ghost-set.ts';

/** A finding, and what is removed to repair it. */
export interface Ghost {
  readonly finding: Finding;
  /** Undefined: it is in no table that could be read. */
  readonly set: GhostSet | undefined;
  readonly deadFlows: readonly DeadFlow[];
}

export interface Repairable {
  readonly sets: readonly GhostSet[];
  /** At least one for each set. */
  readonly ghosts: readonly Ghost[];
  readonly live: Backend | undefined;
}

/**
 * Removes the sets whose every ghost may be repaired, one transaction for each table. A set whose
 * way is free only if another one goes stays with that one.
 */
export function planRepair(
  { sets, ghosts, live }: Repairable,
  mayRepair: (finding: Finding) => boolean,
): Plan {
  const members = Map.groupBy(ghosts, ({ set }) => set);
  const accepted = sets.filter((set) =>
    members.get(set)?.every(({ finding }) => finding.remedy.kind === 'planned' && mayRepair(finding)),
  );
  const obstacles = findObstacles(accepted);
  const going = accepted.filter((set) => !obstacles.has(set));
  const repaired = going.flatMap((set) => members.get(set) ?? []);
  return {
    steps: [
      ...[...Map.groupBy(going, ({ read }) => read)].map(([read, parts]) => removalStep(read, parts, live)),
      ...conntrackSteps(repaired),
    ],
    repairs: repaired.map(({ finding }) => finding),
  };
}

function removalStep(
  read: ReadTable,
  sets: readonly GhostSet[],
  live: Backend | undefined,
): IptablesBatchStep {
  const removal = {
    table: read.table,
    chains: sets.flatMap(({ chains }) => chains),
    rules: sets.flatMap(({ rules }) => rules),
  };
  const digest = removalDigest(removal, (name) => read.reading.owned.get(name)?.fingerprint);
  return {
    kind: 'iptables-batch',
    backend: read.backend,
    family: read.family,
    change: { kind: 'remove', removal, digest },
    ownersWrite: read.backend === live,
  };
}

/**
 * The connections that removed rules sent to dead targets. A rule's removal does not end them: the
 * kernel translates each packet of a known connection as it did the first.
 */
function conntrackSteps(repaired: readonly Ghost[]): ConntrackDeleteStep[] {
  return families.flatMap((family) => {
    const flows = repaired
      .filter(({ set }) => set?.read.family === family)
      .flatMap(({ deadFlows }) => deadFlows);
    return flows.length > 0 ? [{ kind: 'conntrack-delete' as const, family, flows }] : [];
  });
}
