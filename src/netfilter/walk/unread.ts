import { backends, type Family } from '../ruleset.ts';
import { nftFamily } from './decision-words.ts';
import { readNftRuleset } from './nft/ruleset.ts';
import type { FirewallReading } from './reading.ts';
import type { RuleRef } from './walk.ts';

/** Rules that exist, or may exist, and that nobody could look at. */
export interface Unread {
  readonly rule: RuleRef;
  readonly reason: string;
  /** Only what passes all others is in doubt: what these do is to stop packets, hardly ever to save them. */
  readonly onlyStops: boolean;
}

export function unreadIn(reading: FirewallReading, family: Family): readonly Unread[] {
  const { iptables, nft } = reading;
  const unread: Unread[] = [];
  for (const backend of backends) {
    const dump = iptables[backend][family];
    const tool = `${family === 'ipv6' ? 'ip6tables' : 'iptables'}-${backend}-save`;
    const rule: RuleRef = { backend, family, table: '', chain: tool, number: 0, text: '' };
    const add = (reason: string, table = '') =>
      unread.push({ rule: { ...rule, table }, reason, onlyStops: false });
    // What nft lists of tables of iptables-nft is walked in its place.
    const listed = backend === 'nft' && nft.kind === 'present' ? namesIn(nft.objects, family) : undefined;
    if (dump.kind === 'unknown' && !listed) add(`the rules of ${tool} are not known: ${dump.reason}`);
    if (dump.kind !== 'present') continue;
    for (const table of dump.ruleset.unreadable)
      if (!listed?.has(table)) add(`${tool} could not print table ${table}`, table);
  }
  if (nft.kind === 'unknown') {
    const rule: RuleRef = { backend: 'native', family, table: '', chain: 'nft', number: 0, text: '' };
    unread.push({ rule, reason: `native nft tables are not known: ${nft.reason}`, onlyStops: true });
  }
  return unread;
}

function namesIn(objects: readonly unknown[], family: Family): ReadonlySet<string> {
  const tables = readNftRuleset(objects).tables.filter((table) => table.family === nftFamily(family));
  return new Set(tables.map(({ name }) => name));
}
