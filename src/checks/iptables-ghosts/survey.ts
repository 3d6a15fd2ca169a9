import type { Connections } from '../../facts/connections.ts';
import type { FamilyNatOrder } from '../../facts/nat-order.ts';
import type { Rulesets } from '../../facts/rulesets.ts';
import type { Endpoints } from '../../facts/service-endpoints.ts';
import { backends, type Family, families } from '../../netfilter/ruleset.ts';

/** What was looked at, a line for each backend and family. */
export function describeBackends(rulesets: Rulesets): string[] {
  return backends.flatMap((backend) =>
    families.map((family) => {
      const dump = rulesets[backend][family];
      if (dump.kind === 'absent') return `${backend} ${family}: absent, ${dump.reason}`;
      const tables = [...dump.reading.tables.keys()];
      return `${backend} ${family}: ${tables.length === 0 ? 'no tables' : tables.join(', ')}`;
    }),
  );
}

/** Tables that exist and could not be listed: nothing can be said of them. */
export function describeBlindSpots(rulesets: Rulesets): string[] {
  return backends.flatMap((backend) =>
    families.flatMap((family) => {
      const dump = rulesets[backend][family];
      const unreadable = dump.kind === 'present' ? dump.reading.unreadable : [];
      return unreadable.map(
        (table) => `${backend} ${family} ${table} holds rules that only nft can express: it was not judged`,
      );
    }),
  );
}

/** What was asked and did not answer: the verdict stands without it. */
export function describeLimits(endpoints: Endpoints, connections: Connections): string[] {
  return [
    ...(endpoints.kind === 'unavailable' ? [`the API was not read: ${endpoints.reason}`] : []),
    ...(connections.kind === 'unavailable' ? [`connections were not looked at: ${connections.reason}`] : []),
  ];
}

/** How the order of the nat tables was learned, or why not. */
export function describeOrder(family: Family, order: FamilyNatOrder): string[] {
  switch (order.kind) {
    case 'known':
      return [`${family} nat: ${order.first} comes first: ${order.evidence}`];
    case 'unknown':
      return [`${family} nat: which backend comes first is unknown: ${order.reason}`];
    case 'not-needed':
      return [];
  }
}
