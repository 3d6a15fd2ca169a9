import type { Family } from '../ruleset.ts';
import { isWithin, parseAddress, parseNetwork, prefixLength } from './addresses.ts';
import type { NetworkReading, Route } from './reading.ts';

interface Journey {
  readonly family: Family;
  readonly source: string;
  readonly destination: string;
}

/**
 * The links over which a packet from somebody else may arrive here: the one that leads back to its sender,
 * and where policy routing makes that uncertain also the one with the address that it is sent to.
 * `[undefined]` where nothing is known.
 */
export function arrivalLinks(
  network: NetworkReading,
  { family, source, destination }: Journey,
): readonly (string | undefined)[] {
  const back = routeTo(network, family, source)?.link;
  if (back !== undefined && network.policyRouting === false) return [back];
  const own = network.links?.find(
    ({ addresses, loopback }) => !loopback && addresses.some(({ address }) => address === destination),
  )?.name;
  const links = [...new Set([back, own].filter((link) => link !== undefined))];
  return links.length > 0 ? links : [undefined];
}

/** By the main table alone: the longest prefix, then the lowest metric. Undefined: none, or none that forwards. */
export function routeTo(
  { routes = [], links = [] }: NetworkReading,
  family: Family,
  address: string,
): Route | undefined {
  const target = parseAddress(address, family);
  if (target === undefined) return undefined;
  const loopbacks = new Set(links.filter(({ loopback }) => loopback).map(({ name }) => name));
  const best = routes
    .filter((route) => route.family === family && ['main', 'default'].includes(route.table))
    .flatMap((route) => {
      const network = parseNetwork(route.destination, family);
      if (network === undefined || !isWithin(target, network)) return [];
      return [{ route, length: prefixLength(network) ?? 0 }];
    })
    .sort((a, b) => b.length - a.length || a.route.metric - b.route.metric)[0]?.route;
  const isWay = best?.type === 'unicast' && best.link !== undefined && !loopbacks.has(best.link);
  return isWay ? best : undefined;
}
