import type { KubeComponents } from '../../facts/kube-components.ts';
import type { ReadTable } from '../../facts/table-readings.ts';
import type { ChainOwner } from '../../netfilter/chain-owner.ts';
import type { Backend } from '../../netfilter/ruleset.ts';
import type { GhostSet } from './ghost-set.ts';

/** Kubernetes' chains in the backend that it no longer writes to, as a set for each table. */
export function findLeftovers(
  tables: readonly ReadTable[],
  live: Backend,
  components: KubeComponents,
): GhostSet[] {
  const owners = new Set<ChainOwner>(['kube-proxy', 'kubelet']);
  // A policy controller of its own may write to another backend than kubelet does.
  if (!components.separateKubeRouter) owners.add('network-policy');
  return tables
    .filter(({ backend }) => backend !== live)
    .map((read) => leftoversIn(read, owners))
    .filter(({ chains, rules }) => chains.length + rules.length > 0);
}

function leftoversIn(read: ReadTable, owners: ReadonlySet<ChainOwner>): GhostSet {
  const { owned, jumps, residue } = read.reading;
  const chains = [...owned.values()].filter(({ owner }) => owners.has(owner)).map(({ name }) => name);
  const names = new Set(chains);
  const policyResidue = owners.has('network-policy') ? residue : [];
  return {
    read,
    sandboxId: undefined,
    chains,
    rules: [...jumps.filter(({ line }) => names.has(targetOf(line))), ...policyResidue],
  };
}

/** Known jumps have no options behind their target. */
function targetOf(line: string): string {
  return line.slice(line.lastIndexOf(' ') + 1);
}
