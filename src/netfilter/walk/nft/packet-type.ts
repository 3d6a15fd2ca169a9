import { parseAddress } from '../addresses.ts';
import { unknown } from '../answer.ts';
import type { Flight } from '../flight.ts';
import type { NetworkReading } from '../reading.ts';
import { routingOf } from '../routing.ts';
import { packetTypes } from './symbols.ts';
import type { Value } from './value.ts';

/** How it came over the wire; what the node sends itself counts as for the host. */
export function packetTypeOf({ original }: Flight, network: NetworkReading): Value {
  const { origin, destination, family } = original;
  const address = parseAddress(destination, family);
  if (origin.kind === 'process' || !address) return packetTypes['host'];
  const type = routingOf(network).localType(address);
  if (type === undefined) return unknown('the broadcast addresses of the node are not known');
  return packetTypes[type === 'broadcast' || type === 'multicast' ? type : 'host'];
}
