import { parseAddress } from './addresses.ts';
import type { Flight } from './flight.ts';
import type { NetworkReading } from './reading.ts';
import { routingOf } from './routing.ts';
import type { Decision } from './walk.ts';

/** What the kernel does to a packet before it looks for a route, because of its addresses. */
export interface Strangeness {
  readonly decidedBy: Decision;
  /** False: it is let through where a setting says so that is not known. */
  readonly isCertain: boolean;
}

/**
 * Loopback addresses stay within the node, unless route_localnet is set (kube-proxy sets it). IPv6 looks
 * at them as soon as they arrive and never again.
 */
export function strangeArrival(flight: Flight, network: NetworkReading): Strangeness | undefined {
  const { inLink, source, destination, packet, original } = flight;
  if (isLoopbackLink(inLink, network)) return undefined;
  const isStrange = (bytes: Uint8Array, first: string) =>
    packet.family === 'ipv4' ? bytes[0] === 127 : first === '::1';
  if (isStrange(source, original.source))
    return strange(`${packet.source} does not come in`, flight, network);
  if (!isStrange(destination, original.destination)) return undefined;
  return strange(`what is for ${packet.destination} does not come in`, flight, network);
}

export function strangeDeparture(
  flight: Flight,
  outLink: string | undefined,
  network: NetworkReading,
): Strangeness | undefined {
  const isStrange = flight.packet.family === 'ipv4' && flight.source[0] === 127;
  if (!isStrange || isLoopbackLink(outLink, network)) return undefined;
  return strange(`${flight.packet.source} does not leave the node`, flight, network);
}

/** What came to all hosts of a link is not forwarded, whatever its destination is by now. */
export function strangeForward({ original }: Flight, network: NetworkReading): Strangeness | undefined {
  if (original.origin.kind === 'process') return undefined;
  const address = parseAddress(original.destination, original.family);
  const type = address && routingOf(network).localType(address);
  if (type !== 'broadcast' && type !== 'multicast') return undefined;
  const reason = `what is sent to all, as to ${original.destination}, is not forwarded`;
  return { decidedBy: { kind: 'kernel', reason }, isCertain: true };
}

function strange(what: string, { packet }: Flight, network: NetworkReading): Strangeness | undefined {
  const isSwitched = packet.family === 'ipv4';
  if (isSwitched && network.routesLoopback === true) return undefined;
  const isCertain = !isSwitched || network.routesLoopback === false;
  const reason = isSwitched ? `${what} unless route_localnet is set` : what;
  return { decidedBy: { kind: 'kernel', reason }, isCertain };
}

function isLoopbackLink(name: string | undefined, { links }: NetworkReading): boolean {
  return name !== undefined && (links?.find((link) => link.name === name)?.loopback ?? name === 'lo');
}
