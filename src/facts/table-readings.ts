import type { Fact } from '../engine/fact.ts';
import { type TableReading, readTable } from '../netfilter/read-table.ts';
import { type Backend, backends, type Family, families, type Ruleset, type Table } from '../netfilter/ruleset.ts';
import { rulesetsFact } from './rulesets.ts';

/** One table of one backend and family, with what its rules say of Kubernetes' chains. */
export interface ReadTable {
  readonly backend: Backend;
  readonly family: Family;
  readonly ruleset: Ruleset;
  readonly table: Table;
  readonly reading: TableReading;
}

/** Every table of every backend that is there, read once. */
export const tableReadingsFact: Fact<readonly ReadTable[]> = {
  id: 'table-readings',
  async gather({ get }) {
    const rulesets = await get(rulesetsFact);
    return backends.flatMap((backend) =>
      families.flatMap((family) => {
        const dump = rulesets[backend][family];
        if (dump.kind === 'absent') return [];
        const { ruleset } = dump;
        return [...ruleset.tables.values()].map((table) => ({
          backend,
          family,
          ruleset,
          table,
          reading: readTable(ruleset, table),
        }));
      }),
    );
  },
};

/** `iptables-legacy nat`, `ip6tables-nft filter`. */
export function tableTitle({ backend, family, table }: ReadTable): string {
  return `${family === 'ipv6' ? 'ip6tables' : 'iptables'}-${backend} ${table.name}`;
}
