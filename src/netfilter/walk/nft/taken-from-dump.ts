import { type Family, isBuiltIn } from '../../ruleset.ts';
import type { FirewallReading } from '../reading.ts';
import type { NftTable } from './ruleset.ts';

/** As nft calls them. */
export const nftFamilies = { ipv4: 'ip', ipv6: 'ip6' } as const;

const iptablesTables = new Set(['raw', 'mangle', 'nat', 'filter', 'security']);

/** Whether iptables-nft keeps a table, by its name. */
export function isOfIptables({ family, name }: NftTable, packets: Family): boolean {
  return family === nftFamilies[packets] && iptablesTables.has(name);
}

/**
 * Whether a base chain is in the dump of iptables-nft, so that it is not walked twice. The dump leaves out
 * whole tables, and within others chains that iptables would not make.
 */
export function isInDump(
  { iptables }: FirewallReading,
  packets: Family,
  table: NftTable,
  chain: string,
): boolean {
  const dump = iptables.nft[packets];
  if (!isOfIptables(table, packets) || dump.kind !== 'present') return false;
  const saved = dump.ruleset.tables.get(table.name)?.chains.get(chain);
  return saved !== undefined && isBuiltIn(saved);
}
