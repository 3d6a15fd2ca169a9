import { unknown } from '../answer.ts';
import type { Flight, Place } from '../flight.ts';
import type { NetworkReading, Route } from '../reading.ts';
import { routingOf } from '../routing.ts';
import { linkName, numberType, opaque } from './datatype.ts';
import type { Environment } from './environment.ts';
import type { Expression } from './expression.ts';
import { type JsonObject, listOf } from './json.ts';
import { routeTypes } from './symbols.ts';
import { isOpen, type Value } from './value.ts';

/** `fib daddr type`, `fib saddr . iif oif`: what the routes say of an address of the packet. */
export function fibExpression(fields: JsonObject, { network }: Environment): Expression {
  const flags = listOf(fields['flags']).map(String);
  const result = String(fields['result']);
  const name = `fib ${flags.join(' . ')} ${result}`;
  const question: Question = {
    end: flags.includes('saddr') ? 'source' : 'destination',
    over: flags.includes('iif') ? 'iif' : flags.includes('oif') ? 'oif' : undefined,
    network,
  };
  if (result === 'type') {
    const type = numberType(routeTypes);
    return { name, types: [type], evaluate: (flight, at) => [readType(flight, at, question)] };
  }
  if (result === 'oif' || result === 'oifname') {
    return { name, types: [outLinkName], evaluate: (flight, at) => [readLink(flight, at, question)] };
  }
  const values = [unknown(`${name} cannot be evaluated`)];
  return { name, types: [opaque], evaluate: () => values };
}

/** An index of 0 is no link. */
const outLinkName = { scalar: (json: unknown) => (json === '0' || json === 0 ? '' : linkName.scalar(json)) };

interface Question {
  readonly end: 'source' | 'destination';
  readonly over: 'iif' | 'oif' | undefined;
  readonly network: NetworkReading;
}

const unknownRoutes = unknown('the routes of the node are not known');
const unknownLink = unknown('the link of the packet is not known');

/** The link that is asked for; undefined: none is. */
function linkAsked(flight: Flight, { hook }: Place, { over }: Question): Value {
  const comes = hook !== 'output';
  const leaves = hook !== 'prerouting' && hook !== 'input';
  if (over === 'iif' && comes) return flight.inLinkUnknown ? unknownLink : flight.inLink;
  if (over === 'oif' && leaves) return flight.outLinkUnknown ? unknownLink : flight.outLink;
  return undefined;
}

function readType(flight: Flight, at: Place, question: Question): Value {
  return typeOf(flight[question.end], linkAsked(flight, at, question), question.network);
}

function typeOf(address: Uint8Array, link: Value, network: NetworkReading): Value {
  const routing = routingOf(network);
  const anywhere = routing.localType(address);
  if (anywhere === undefined) return unknownRoutes;
  if (anywhere === 'unicast')
    return address.length === 4 ? routeTypes['unicast'] : typeOfForeign(address, network);
  if (link === undefined || anywhere === 'multicast') return routeTypes[anywhere];
  if (isOpen(link)) return link;
  return routeTypes[routing.localType(address, String(link)) ?? 'unicast'];
}

/** For IPv6 the kernel looks at all routes. */
function typeOfForeign(address: Uint8Array, network: NetworkReading): Value {
  const answer = routingOf(network).lookUp(address);
  if (answer.kind === 'unknown') return unknownRoutes;
  if (answer.kind === 'none') return routeTypes['unreachable'];
  return routeTypes[answer.routes[0]?.type ?? 'unicast'];
}

/** Over which link the address is reached; an empty name: over none, or not over the one that is asked for. */
function readLink(flight: Flight, at: Place, question: Question): Value {
  const { network, end } = question;
  const link = linkAsked(flight, at, question);
  const inLink = network.links?.find(({ name }) => name === flight.inLink);
  if (inLink?.loopback) return inLink.name;
  const address = flight[end];
  if (isLinkLocal(address)) return link ?? unknown('which link a link-local address belongs to is not known');
  const answer = routingOf(network).lookUp(address);
  if (answer.kind === 'unknown') return unknownRoutes;
  const routes = answer.kind === 'found' ? answer.routes.filter(({ type }) => !leadsNowhere.has(type)) : [];
  if (routes.length === 0) return '';
  if (link === undefined) return linkOf(routes);
  if (isOpen(link)) return link;
  return routes.some((route) => route.link === link) ? link : '';
}

const leadsNowhere = new Set(['local', 'anycast', 'blackhole', 'unreachable', 'prohibit', 'throw']);

function isLinkLocal(address: Uint8Array): boolean {
  return address.length === 16 && address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80;
}

function linkOf(routes: readonly Route[]): Value {
  const [first] = routes;
  if (!first || routes.some(({ link }) => link !== first.link)) return unknown('several routes are as good');
  return first.link ?? '';
}
