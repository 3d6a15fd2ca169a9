import type { Family } from '../ruleset.ts';
import { isWithin, type Network, parseNetwork, prefixLength } from './addresses.ts';
import type { NetworkReading, Route } from './reading.ts';

/** Where the node's routes lead to. */
export interface Routing {
  /** `unknown`: the routes are not known, or rules of policy routing decide. */
  lookUp(destination: Uint8Array): RouteAnswer;
  /** What the node itself keeps of the local table; `unicast`: nothing. Undefined: not known. */
  localType(address: Uint8Array, link?: string): string | undefined;
}

export type RouteAnswer =
  /** Several, where the kernel may take any. */
  | { readonly kind: 'found'; readonly routes: readonly Route[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown' };

const known = new WeakMap<NetworkReading, Routing>();

export function routingOf(network: NetworkReading): Routing {
  const made = known.get(network) ?? createRouting(network);
  known.set(network, made);
  return made;
}

function createRouting(network: NetworkReading): Routing {
  const tables = network.routes && sortRoutes(network.routes);
  return {
    lookUp(destination) {
      if (!tables) return { kind: 'unknown' };
      const family = familyOf(destination);
      const local = longest(tables.get(`${family} local`), destination);
      if (local.length > 0) return { kind: 'found', routes: local };
      if (network.policyRouting !== false) return { kind: 'unknown' };
      for (const table of ['main', 'default']) {
        const routes = longest(tables.get(`${family} ${table}`), destination);
        if (routes.length > 0) return { kind: 'found', routes };
      }
      return { kind: 'none' };
    },
    localType(address, link) {
      const special = specialType(address);
      if (special !== undefined) return special;
      if (!tables) return fromLinks(address, network, link);
      const routes = longest(tables.get(`${familyOf(address)} local`), address);
      const own = link === undefined ? routes[0] : routes.find((route) => route.link === link);
      return own?.type ?? 'unicast';
    },
  };
}

interface PlacedRoute {
  readonly route: Route;
  readonly network: Network;
  readonly length: number;
}

/** By family and table; the longest prefix first, then the lowest metric. */
function sortRoutes(routes: readonly Route[]): ReadonlyMap<string, readonly PlacedRoute[]> {
  const tables = new Map<string, PlacedRoute[]>();
  for (const route of routes) {
    const network = parseNetwork(route.destination, route.family);
    if (!network) continue;
    const key = `${route.family} ${route.table}`;
    const placed = { route, network, length: prefixLength(network) ?? 0 };
    const table = tables.get(key);
    if (table) table.push(placed);
    else tables.set(key, [placed]);
  }
  for (const table of tables.values())
    table.sort((a, b) => b.length - a.length || a.route.metric - b.route.metric);
  return tables;
}

function longest(table: readonly PlacedRoute[] | undefined, address: Uint8Array): readonly Route[] {
  const at = table?.findIndex(({ network }) => isWithin(address, network)) ?? -1;
  const first = table?.[at];
  if (!table || !first) return [];
  return table
    .slice(at)
    .filter(
      ({ route, network, length }) =>
        length === first.length && route.metric === first.route.metric && isWithin(address, network),
    )
    .map(({ route }) => route);
}

/** What the kernel knows of an address without looking at a route. */
function specialType(address: Uint8Array): string | undefined {
  const [first = 0] = address;
  if (address.length === 16) return first === 0xff ? 'multicast' : undefined;
  if (first >= 224 && first < 240) return 'multicast';
  return address.every((byte) => byte === 0) || address.every((byte) => byte === 255)
    ? 'broadcast'
    : undefined;
}

function fromLinks(
  address: Uint8Array,
  { links }: NetworkReading,
  linkAsked: string | undefined,
): string | undefined {
  if (!links) return undefined;
  const family = familyOf(address);
  for (const { name, addresses } of links) {
    if (linkAsked !== undefined && name !== linkAsked) continue;
    for (const own of addresses) {
      if (own.family !== family) continue;
      if (isExactly(own.address, address, family)) return 'local';
      if (own.broadcast !== undefined && isExactly(own.broadcast, address, family)) return 'broadcast';
    }
  }
  return isLoopback(address) ? 'local' : 'unicast';
}

function isExactly(text: string, address: Uint8Array, family: Family): boolean {
  const network = parseNetwork(text, family);
  return network !== undefined && isWithin(address, network);
}

function isLoopback(address: Uint8Array): boolean {
  return address.length === 4 ? address[0] === 127 : address.every((byte, i) => byte === (i === 15 ? 1 : 0));
}

export function familyOf(address: Uint8Array): Family {
  return address.length === 4 ? 'ipv4' : 'ipv6';
}
