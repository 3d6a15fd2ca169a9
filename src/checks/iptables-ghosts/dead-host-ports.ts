import type { Sandboxes } from '../../facts/sandboxes.ts';
import type { ReadTable } from '../../facts/table-readings.ts';
import type { HostPortRule } from '../../netfilter/table-reading.ts';
import type { Ghosts } from './leftovers.ts';

export interface HostPortVerdicts {
  readonly ghosts: readonly Ghosts[];
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
  if (ids.size === 0) return { ghosts: [], dead: new Set(), undecided: [] };
  if (sandboxes.kind !== 'known') {
    const reason =
      sandboxes.kind === 'unavailable' ? sandboxes.reason : 'the container runtime was not asked';
    const count = ids.size === 1 ? 'host ports of 1 sandbox' : `host ports of ${ids.size} sandboxes`;
    return { ghosts: [], dead: new Set(), undecided: [`${count} cannot be judged: ${reason}`] };
  }
  const held = [...ids].filter((id) => !sandboxes.ready.has(id) && sandboxes.reserved.has(id));
  const dead = new Set([...ids].filter((id) => !sandboxes.ready.has(id) && !sandboxes.reserved.has(id)));
  return {
    ghosts: tables.map((read) => ghostsIn(read, dead)),
    dead,
    undecided: held.map(
      (id) =>
        `sandbox ${id} is not running but still holds an address (${sandboxes.reserved.get(id)}): being set up or torn down`,
    ),
  };
}

function ghostsIn(read: ReadTable, dead: ReadonlySet<string>): Ghosts {
  const rules: HostPortRule[] = read.reading.hostPorts.filter(({ sandboxId }) => dead.has(sandboxId));
  const chains = new Set(rules.map(({ target }) => target));
  return { read, chains: [...chains], rules };
}
