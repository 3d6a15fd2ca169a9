import type { Fact } from '../engine/fact.ts';
import { type TableReading, readTable } from '../netfilter/read-table.ts';
import { type Backend, backends, type Family, families, type Ruleset, type Table } from '../netfilter/ruleset.ts';
import { dumpFacts } from './rulesets.ts';

/** One table of one backend and family, with what its rules say of Kubernetes' chains. */
export interface ReadTable {
  readonly backend: Backend;
  readonly family: Family;
  readonly ruleset: Ruleset;
  readonly table: Table;
  readonly reading: TableReading;
}

/** Every table of every backend that is there, read once; each dump as soon as it has come. */
export const tableReadingsFact: Fact<readonly ReadTable[]> = {
  id: 'table-readings',
  async gather({ get }) {
    const all = backends.flatMap((backend) =>
      families.map(async (family) => {
        const dump = await get(dumpFacts[backend][family]);
        return dump.kind === 'absent' ? [] : readTables(backend, family, dump.ruleset);
      }),
    );
    return (await Promise.all(all)).flat();
  },
};

function readTables(backend: Backend, family: Family, ruleset: Ruleset): ReadTable[] {
  return [...ruleset.tables.values()].map((table) => ({
    backend,
    family,
    ruleset,
    table,
    reading: readTable(ruleset, table),
  }));
}

/** `iptables-legacy nat`, `ip6tables-nft filter`. */
export function tableTitle({ backend, family, table }: ReadTable): string {
  return `${family === 'ipv6' ? 'ip6tables' : 'iptables'}-${backend} ${table.name}`;
}
