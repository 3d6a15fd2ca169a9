import type { IptablesRemovalStep } from '../../engine/step.ts';
import { type ReadTable, tableTitle } from '../../facts/table-readings.ts';
import { removalDigest } from '../../netfilter/removal.ts';
import type { Backend } from '../../netfilter/ruleset.ts';
import type { LocatedRule, Obstacle } from '../../netfilter/table-reading.ts';
import type { Ghosts } from './leftovers.ts';

/** What is to go from one table, and what stands in the way of it. */
export interface TableRemoval {
  readonly read: ReadTable;
  readonly chains: readonly string[];
  readonly rules: readonly LocatedRule[];
  /** One line each; if there is any, nothing is removed from this table. */
  readonly obstacles: readonly string[];
}

/** All ghosts of a table together: they go in one transaction or not at all. */
export function removalsByTable(ghosts: readonly Ghosts[]): TableRemoval[] {
  return [...Map.groupBy(ghosts, ({ read }) => read)].flatMap(([read, parts]) => {
    const chains = parts.flatMap((part) => part.chains);
    const rules = parts.flatMap((part) => part.rules);
    if (chains.length + rules.length === 0) return [];
    return [{ read, chains, rules, obstacles: obstaclesTo(read, new Set(chains)) }];
  });
}

/** The step that removes them. Only for a table without obstacles. */
export function removalStep(
  { read, chains, rules }: TableRemoval,
  live: Backend | undefined,
): IptablesRemovalStep {
  const removal = { table: read.table, chains, rules };
  return {
    kind: 'iptables-removal',
    backend: read.backend,
    family: read.family,
    removal,
    digest: removalDigest(removal, (name) => read.reading.owned.get(name)?.fingerprint),
    ownersWrite: read.backend === live,
  };
}

function obstaclesTo(read: ReadTable, chains: ReadonlySet<string>): string[] {
  const where = tableTitle(read);
  const rules = read.reading.obstacles
    .filter(
      ({ owned, chain, reason }) =>
        chains.has(owned) && !(reason === 'foreign-reference' && chains.has(chain)),
    )
    .map((obstacle) => describeObstacle(where, obstacle));
  const names = [...read.reading.owned.values()]
    .filter(({ name, proof }) => chains.has(name) && proof === 'contradicted')
    .map(({ name }) => `${where}: ${name} is not the name that follows from what its rules say`);
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
