import type { Fact } from '../engine/fact.ts';
import { type Backend, backends, type Family, families } from '../netfilter/ruleset.ts';
import type { TableReading } from '../netfilter/table-reading.ts';
import { rulesetsFact } from './rulesets.ts';

/** One table of one backend and family, with what its rules say of Kubernetes' chains. */
export interface ReadTable {
  readonly backend: Backend;
  readonly family: Family;
  readonly table: string;
  readonly reading: TableReading;
}

/** Every table of every backend that is there. */
export const tableReadingsFact: Fact<readonly ReadTable[]> = {
  id: 'table-readings',
  async gather({ get }) {
    const rulesets = await get(rulesetsFact);
    return backends.flatMap((backend) =>
      families.flatMap((family) => {
        const dump = rulesets[backend][family];
        if (dump.kind === 'absent') return [];
        return [...dump.reading.tables].map(([table, reading]) => ({ backend, family, table, reading }));
      }),
    );
  },
};

/** The backends with kubelet's mark, the newer mark first; the first one is the live one if any is. */
export function markedBackends(tables: readonly ReadTable[]): Backend[] {
  return ['KUBE-IPTABLES-HINT', 'KUBE-KUBELET-CANARY'].flatMap((mark) =>
    tables
      .filter(({ table, reading }) => table === 'mangle' && reading.owned.has(mark))
      .map(({ backend }) => backend),
  );
}

/** `iptables-legacy nat`, `ip6tables-nft filter`. */
export function tableTitle({ backend, family, table }: Omit<ReadTable, 'reading'>): string {
  return `${family === 'ipv6' ? 'ip6tables' : 'iptables'}-${backend} ${table}`;
}
