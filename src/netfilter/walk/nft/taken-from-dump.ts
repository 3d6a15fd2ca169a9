import type { Family } from '../../ruleset.ts';
import type { FirewallReading } from '../reading.ts';
import type { NftTable } from './ruleset.ts';

/** As nft calls them. */
export const nftFamilies = { ipv4: 'ip', ipv6: 'ip6' } as const;

const iptablesTables = new Set(['raw', 'mangle', 'nat', 'filter', 'security']);

/** Whether iptables-nft keeps a table, by its name. */
export function isOfIptables({ family, name }: NftTable, packets: Family): boolean {
  return family === nftFamilies[packets] && iptablesTables.has(name);
}

/** Whether its rules are in the dump of iptables-nft, so that they are not walked twice. */
export function isFromDump({ iptables }: FirewallReading, packets: Family, table: NftTable): boolean {
  const dump = iptables.nft[packets];
  return isOfIptables(table, packets) && dump.kind === 'present' && dump.ruleset.tables.has(table.name);
}
