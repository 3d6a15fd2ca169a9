import type { Family } from '../../ruleset.ts';
import type { NetworkReading } from '../reading.ts';
import type { Elements } from './elements.ts';
import type { NftTable } from './ruleset.ts';

/** Where a rule stands, for whoever makes it ready to be asked. */
export interface Environment {
  /** Of the packets that come to it. */
  readonly family: Family;
  readonly table: NftTable;
  readonly network: NetworkReading;
  /** What was made ready once, by its list of elements. */
  readonly sets: Map<readonly unknown[], Elements<unknown>>;
  readonly maps: Map<readonly unknown[], Elements<unknown>>;
}

export function createEnvironment(family: Family, table: NftTable, network: NetworkReading): Environment {
  return { family, table, network, sets: new Map(), maps: new Map() };
}
