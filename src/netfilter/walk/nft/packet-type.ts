import { unknown } from '../answer.ts';
import type { Flight } from '../flight.ts';
import type { NetworkReading } from '../reading.ts';
import { packetTypes } from './symbols.ts';
import type { Value } from './value.ts';

/** How it came over the wire; what the node sends itself counts as for the host. */
export function packetTypeOf(flight: Flight, { links }: NetworkReading): Value {
  const { host, broadcast, multicast } = packetTypes;
  const { origin, destination, family } = flight.original;
  if (origin.kind === 'process') return host;
  if (family === 'ipv6') return destination.toLowerCase().startsWith('ff') ? multicast : host;
  const first = Number(destination.split('.')[0]);
  if (first >= 224 && first < 240) return multicast;
  if (destination === '255.255.255.255') return broadcast;
  if (!links) return unknown('the broadcast addresses of the links are not known');
  const isBroadcast = links.some(({ addresses }) => addresses.some((each) => each.broadcast === destination));
  return isBroadcast ? broadcast : host;
}
