import { parseJson } from '../kube/failure-reasons.ts';

export interface NftTableName {
  /** `ip`, `ip6`, `inet`, `arp`, `bridge`, `netdev`. */
  readonly family: string;
  readonly name: string;
}

/** The tables that `nft list flowtables` prints: all there are, whether or not there is a flowtable in them. */
export function parseNftTables(stdout: string): readonly NftTableName[] {
  const found = stdout.matchAll(/^table (\w+) (\S+) \{/gm);
  return [...found].map(([, family = '', name = '']) => ({ family, name }));
}

/** The list below `nftables` in what `nft -j list ...` prints. Undefined when it is not that. */
export function parseNftObjects(stdout: string): readonly unknown[] | undefined {
  const json = parseJson(stdout);
  if (typeof json !== 'object' || json === null || !('nftables' in json)) return undefined;
  return Array.isArray(json.nftables) ? json.nftables : undefined;
}
