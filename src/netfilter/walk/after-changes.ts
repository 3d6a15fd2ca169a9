import type { Addition } from '../addition.ts';
import type { Removal } from '../removal.ts';
import type { Backend, Family } from '../ruleset.ts';
import type { FirewallReading } from './reading.ts';

/** What a plan does to the rules of one table. */
export interface RuleChange {
  readonly backend: Backend;
  readonly family: Family;
  readonly change:
    | { readonly kind: 'remove'; readonly removal: Removal }
    | { readonly kind: 'add'; readonly addition: Addition };
}

/** The node's rules as they would be after the changes: what iptables-restore would make of them. Pure. */
export function afterChanges(_reading: FirewallReading, _changes: readonly RuleChange[]): FirewallReading {
  throw new Error('not built yet');
}
