import type { Place } from './create-place.ts';
import { dumpRuleset } from './ruleset-text.ts';

/** Text without counters, times and timeouts: two of them differ only if something was changed. */
export interface NodeSnapshot {
  readonly legacyIpv4: string;
  readonly legacyIpv6: string;
  readonly nftIpv4: string;
  readonly nftIpv6: string;
  /** `nft list ruleset`: the tables that iptables knows nothing of, too. */
  readonly nftRuleset: string;
  /** Tables registered with the legacy backend: looking must add none. */
  readonly legacyTables: readonly string[];
  readonly legacyTables6: readonly string[];
  /** One line for each connection, sorted. */
  readonly conntrack: readonly string[];
}

export async function takeSnapshot(node: Place): Promise<NodeSnapshot> {
  const [legacyIpv4, legacyIpv6, nftIpv4, nftIpv6, nftRuleset, tables, tables6, conntrack] =
    await Promise.all([
      dumpRuleset(node, { backend: 'legacy', family: 'ipv4' }),
      dumpRuleset(node, { backend: 'legacy', family: 'ipv6' }),
      dumpRuleset(node, { backend: 'nft', family: 'ipv4' }),
      dumpRuleset(node, { backend: 'nft', family: 'ipv6' }),
      node.run(['nft', '--stateless', 'list', 'ruleset']),
      node.exec(['cat', '/proc/net/ip_tables_names']),
      node.exec(['cat', '/proc/net/ip6_tables_names']),
      node.run(['conntrack', '-L']),
    ]);
  return {
    legacyIpv4: withoutTimes(legacyIpv4),
    legacyIpv6: withoutTimes(legacyIpv6),
    nftIpv4: withoutTimes(nftIpv4),
    nftIpv6: withoutTimes(nftIpv6),
    nftRuleset,
    // A kernel without the legacy backend has no such file.
    legacyTables: tables.stdout.split('\n').filter(isFilled).sort(),
    legacyTables6: tables6.stdout.split('\n').filter(isFilled).sort(),
    conntrack: conntrack.split('\n').filter(isFilled).map(withoutTimeout).sort(),
  };
}

/** Built-in chains carry their counters even when none are asked for. */
function withoutTimes(dump: string): string {
  return dump.replace(/^#.*\n/gm, '').replace(/ \[\d+:\d+\]$/gm, '');
}

/** `tcp  6 117 TIME_WAIT src=... use=1`: the seconds that are left, and who looks at it right now. */
function withoutTimeout(line: string): string {
  return line.replace(/^(\w+\s+\d+) \d+/, '$1').replace(/ use=\d+/, '');
}

function isFilled(line: string): boolean {
  return line !== '';
}
