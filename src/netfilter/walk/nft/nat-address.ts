import { isWithin, parseAddress, parseNetwork } from '../addresses.ts';
import type { Flight, Place } from '../flight.ts';
import type { LinkAddress, NetworkReading } from '../reading.ts';
import { routingOf } from '../routing.ts';

/** The address of the link that it leaves over; undefined: it cannot be told. */
export function masqueradeSource(flight: Flight, network: NetworkReading): Uint8Array | undefined {
  const { family, destination } = flight.packet;
  const answer = routingOf(network).lookUp(flight.destination);
  const routes = answer.kind === 'found' ? answer.routes : [];
  const gateway = routes.find(({ link }) => link === flight.outLink)?.gateway;
  const next = parseAddress(gateway ?? destination, family) ?? flight.destination;
  const usable = addressesOf(flight.outLink, flight, network)?.filter(({ scope }) => scope === 'global');
  const near = usable?.find(({ address, prefixLength }) => {
    const subnet = parseNetwork(`${address}/${prefixLength}`, family);
    return subnet && isWithin(next, subnet);
  });
  const chosen = near ?? usable?.[0];
  return chosen && parseAddress(chosen.address, family);
}

/** The link's own address for what comes in, loopback's for what a process sends. */
export function redirectDestination(
  flight: Flight,
  { hook }: Place,
  network: NetworkReading,
): Uint8Array | undefined {
  const { family } = flight.packet;
  if (hook === 'output') return parseAddress(family === 'ipv4' ? '127.0.0.1' : '::1', family);
  const [first] = addressesOf(flight.inLink, flight, network) ?? [];
  return first && parseAddress(first.address, family);
}

function addressesOf(
  link: string | undefined,
  { packet }: Flight,
  { links }: NetworkReading,
): readonly LinkAddress[] | undefined {
  return links?.find(({ name }) => name === link)?.addresses.filter(({ family }) => family === packet.family);
}
