import { type ReadTable, tableTitle } from '../../facts/table-readings.ts';
import type { LocatedRule, Obstacle } from '../../netfilter/table-reading.ts';

/** What is to go from one table together, or not at all. Sets of one table share no chain and no rule. */
export interface GhostSet {
  readonly read: ReadTable;
  /** Whose host ports it is; undefined for Kubernetes' leftovers, all of a table. */
  readonly sandboxId: string | undefined;
  readonly chains: readonly string[];
  /** In chains that stay. */
  readonly rules: readonly LocatedRule[];
}

/**
 * The sets that cannot go when no others go than these, each with what stands in its way, a line each.
 * One set may stand in the way of another of its table: a sandbox's chain that stays and marks
 * packets by KUBE-MARK-MASQ keeps that chain.
 */
export function findObstacles(sets: readonly GhostSet[]): ReadonlyMap<GhostSet, readonly string[]> {
  const found = new Map<GhostSet, readonly string[]>();
  for (;;) {
    const going = sets.filter((set) => !found.has(set));
    const stopped = going
      .map((set) => [set, obstaclesTo(set, going)] as const)
      .filter(([, obstacles]) => obstacles.length > 0);
    if (stopped.length === 0) return found;
    for (const [set, obstacles] of stopped) found.set(set, obstacles);
  }
}

function obstaclesTo({ read, chains }: GhostSet, going: readonly GhostSet[]): string[] {
  const where = tableTitle(read);
  const names = chains
    .filter((name) => read.reading.owned.get(name)?.proof === 'contradicted')
    .map((name) => `${where}: ${name} is not the name that follows from what its rules say`);
  if (read.reading.obstacles.length === 0) return names;
  const own = new Set(chains);
  const leaving = new Set(going.flatMap((other) => (other.read === read ? other.chains : [])));
  const rules = read.reading.obstacles
    .filter(
      ({ owned, chain, reason }) => own.has(owned) && !(reason === 'foreign-reference' && leaving.has(chain)),
    )
    .map((obstacle) => describeObstacle(where, obstacle));
  return [...rules, ...names];
}

function describeObstacle(where: string, { reason, owned, line }: Obstacle): string {
  switch (reason) {
    case 'foreign-reference':
      return `${where}: a rule that is not Kubernetes' own refers to ${owned}: ${line}`;
    case 'foreign-rule-inside':
      return `${where}: ${owned} holds a rule that its owner does not write: ${line}`;
    case 'unreadable-rule':
      return `${where}: a rule that concerns ${owned} cannot be read: ${line}`;
  }
}
