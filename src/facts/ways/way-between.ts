import { arrivalLinks, routeTo } from '../../netfilter/walk/arrival-links.ts';
import type { NetworkReading } from '../../netfilter/walk/reading.ts';
import { familyOf } from './sample-addresses.ts';

/** How this node and an address beyond it reach each other. */
export interface WayBetween {
  /** Over which of this node's links; undefined: it is not known which. */
  readonly links: readonly (string | undefined)[];
  /** This node's own address, to which the other one sends. */
  readonly own: string;
}

/** Undefined: none of this node's addresses is of that family, or no route leads there. */
export function wayBetween(network: NetworkReading, other: string): WayBetween | undefined {
  const family = familyOf(other);
  const own = (network.links ?? []).flatMap(({ name, loopback, addresses }) =>
    addresses
      .filter((each) => each.family === family && each.scope === 'global' && !loopback)
      .map(({ address }) => ({ link: name, address })),
  );
  const route = routeTo(network, family, other);
  if (!route && network.routes && network.policyRouting === false) return undefined;
  const address =
    route?.preferredSource ?? own.find(({ link }) => link === route?.link)?.address ?? own[0]?.address;
  if (address === undefined) return undefined;
  return { own: address, links: arrivalLinks(network, { family, source: other, destination: address }) };
}

/** Whether it is one of this node's addresses. */
export function isOwn({ links }: NetworkReading, address: string): boolean {
  return (links ?? []).some(({ addresses }) => addresses.some((own) => own.address === address));
}
