import { type Sandboxes, sandboxState } from '../../facts/sandboxes.ts';
import type { ReadTable } from '../../facts/table-readings.ts';
import type { GhostSet } from './ghost-set.ts';

export interface HostPortVerdicts {
  /** One for each dead sandbox in each table. */
  readonly sets: readonly GhostSet[];
  /** Ids of the sandboxes whose host ports are ghosts. */
  readonly dead: ReadonlySet<string>;
  /** Host ports that could not be judged, a line each. */
  readonly undecided: readonly string[];
}

/**
 * A sandbox's host ports are ghosts when the container runtime does not know the sandbox as running
 * and it holds no address any more. Which backend they sit in does not matter: those of a running
 * pod are live in either, and would be missing until it restarts.
 */
export function judgeHostPorts(
  tables: readonly ReadTable[],
  sandboxes: Sandboxes,
  networks: readonly string[],
): HostPortVerdicts {
  const ours = tables.flatMap((read) =>
    read.reading.hostPorts
      .filter(({ network }) => networks.includes(network))
      .map((rule) => ({ read, rule })),
  );
  const ids = new Set(ours.map(({ rule }) => rule.sandboxId));
  if (ids.size === 0) return { sets: [], dead: new Set(), undecided: [] };
  if (sandboxes.kind !== 'known') {
    const reason =
      sandboxes.kind === 'unavailable' ? sandboxes.reason : 'the container runtime was not asked';
    const count = ids.size === 1 ? 'host ports of 1 sandbox' : `host ports of ${ids.size} sandboxes`;
    return { sets: [], dead: new Set(), undecided: [`${count} cannot be judged: ${reason}`] };
  }
  const held = [...ids].filter((id) => sandboxState(sandboxes, id) === 'held');
  const dead = new Set([...ids].filter((id) => sandboxState(sandboxes, id) === 'dead'));
  return {
    sets: tables.flatMap((read) => setsIn(read, dead)),
    dead,
    undecided: held.map(
      (id) =>
        `sandbox ${id} is not running but still holds an address (${sandboxes.reserved.get(id)}): being set up or torn down`,
    ),
  };
}

function setsIn(read: ReadTable, dead: ReadonlySet<string>): GhostSet[] {
  const ofDead = read.reading.hostPorts.filter(({ sandboxId }) => dead.has(sandboxId));
  return [...Map.groupBy(ofDead, ({ sandboxId }) => sandboxId)].map(([sandboxId, rules]) => ({
    read,
    sandboxId,
    chains: [...new Set(rules.map(({ target }) => target))],
    rules,
  }));
}
