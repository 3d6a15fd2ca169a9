import { type Addition, printAddition } from '../addition.ts';
import { printRemoval, type Removal } from '../removal.ts';
import type { Backend, Family, Ruleset } from '../ruleset.ts';
import { nftAfter } from './nft-after.ts';
import type { DumpReadingState, FirewallReading } from './reading.ts';
import { restoreBatch } from './restore-batch.ts';

/** What a plan does to the rules of one table. */
export interface RuleChange {
  readonly backend: Backend;
  readonly family: Family;
  readonly change:
    | { readonly kind: 'remove'; readonly removal: Removal }
    | { readonly kind: 'add'; readonly addition: Addition };
}

/**
 * The node's rules as they would be after the changes: what iptables-restore would make of them. What
 * it would refuse, and what is there already, changes nothing. Pure.
 */
export function afterChanges(reading: FirewallReading, changes: readonly RuleChange[]): FirewallReading {
  return changes.reduce(afterChange, reading);
}

function afterChange(reading: FirewallReading, { backend, family, change }: RuleChange): FirewallReading {
  const dump = reading.iptables[backend][family];
  const before = rulesetOf(dump);
  const batch = before && printBatch(change, before);
  if (before === undefined || batch === undefined) return reading;
  const restored = restoreBatch(before, batch);
  if (restored.kind === 'refused') return reading;
  const { ruleset, changed } = restored;
  const table = change.kind === 'remove' ? change.removal.table : change.addition.table;
  const dumps = { ...reading.iptables[backend], [family]: { kind: 'present', ruleset } };
  return {
    ...reading,
    iptables: { ...reading.iptables, [backend]: dumps },
    nft: backend === 'nft' ? nftAfter(reading.nft, { family, table, changed }) : reading.nft,
  };
}

function rulesetOf(dump: DumpReadingState): Ruleset | undefined {
  if (dump.kind === 'unknown') return undefined;
  return dump.kind === 'present' ? dump.ruleset : { text: '', tables: new Map(), unreadable: [] };
}

function printBatch(change: RuleChange['change'], before: Ruleset): string | undefined {
  return change.kind === 'remove' ? printRemoval(change.removal) : printAddition(change.addition, before);
}
