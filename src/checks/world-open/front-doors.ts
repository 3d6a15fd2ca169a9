import { isPrivate } from '../../netfilter/is-private.ts';
import { type Family, families } from '../../netfilter/ruleset.ts';
import type { NetworkReading } from '../../netfilter/walk/reading.ts';

/** A link by which strangers come: one with a default route, and the addresses that they can send to. */
export interface FrontDoor {
  readonly family: Family;
  readonly link: string;
  readonly addresses: readonly string[];
  /** None of its addresses is a public one: there is a NAT or a private network before it. */
  readonly isPrivate: boolean;
}

export function findFrontDoors({ links = [], routes = [] }: NetworkReading): readonly FrontDoor[] {
  return families.flatMap((family) => {
    const defaults = routes.filter(
      (route) =>
        route.family === family &&
        route.destination.endsWith('/0') &&
        route.type === 'unicast' &&
        ['main', 'default'].includes(route.table),
    );
    return [...new Set(defaults.map(({ link }) => link))].flatMap((name) => {
      const link = links.find((each) => each.name === name && !each.loopback);
      const addresses = link?.addresses
        .filter((each) => each.family === family && each.scope === 'global')
        .map(({ address }) => address);
      if (name === undefined || addresses === undefined || addresses.length === 0) return [];
      const open = addresses.filter((address) => !isPrivate(address));
      return [
        {
          family,
          link: name,
          addresses: open.length > 0 ? open : addresses,
          isPrivate: open.length === 0,
        },
      ];
    });
  });
}
