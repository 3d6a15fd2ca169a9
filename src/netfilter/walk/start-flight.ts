import { parseAddress, printAddress } from './addresses.ts';
import type { Flight } from './flight.ts';
import type { Packet, TcpFlag, Transport } from './packet.ts';
import { portOf } from './translate.ts';

/** Throws RangeError for addresses that are not of the packet's family. */
export function startFlight(given: Packet): Flight {
  const source = readAddress(given, given.source);
  const destination = readAddress(given, given.destination);
  const packet: Packet = {
    ...given,
    source: printAddress(source),
    destination: printAddress(destination),
    transport: withFlags(given),
  };
  const { origin } = packet;
  return {
    packet,
    source,
    destination,
    inLink: origin.kind === 'link' ? origin.name : undefined,
    outLink: undefined,
    inLinkUnknown: origin.kind === 'link' && origin.name === undefined,
    outLinkUnknown: false,
    mark: (packet.mark ?? 0) >>> 0,
    connectionMark: (packet.connectionMark ?? 0) >>> 0,
    original: packet,
    destinationTranslated: false,
    sourceTranslated: false,
  };
}

const known = new WeakMap<Flight, string>();

/** Equal for flights of one packet that all rules will treat alike from here on. */
export function sameness(flight: Flight): string {
  const print = known.get(flight) ?? fingerprint(flight);
  known.set(flight, print);
  return print;
}

function fingerprint(flight: Flight): string {
  const { packet, mark, connectionMark, inLink, outLink } = flight;
  const { source, destination, transport, state } = packet;
  const ports = `${portOf(transport, 'source')} ${portOf(transport, 'destination')}`;
  const links = `${inLink} ${flight.inLinkUnknown} ${outLink} ${flight.outLinkUnknown}`;
  const translated = `${flight.sourceTranslated} ${flight.destinationTranslated}`;
  return `${source} ${destination} ${ports} ${state} ${mark} ${connectionMark} ${links} ${translated}`;
}

/** As it is told at the end. */
export function landed({ packet, mark, connectionMark, inLink, outLink }: Flight): Packet {
  const { origin } = packet;
  return {
    ...packet,
    origin: origin.kind === 'link' ? { ...origin, name: inLink } : origin,
    ...(outLink === undefined ? {} : { outLink }),
    mark,
    connectionMark,
  };
}

function readAddress({ family }: Packet, text: string): Uint8Array {
  const address = parseAddress(text, family);
  if (!address) throw new RangeError(`${text} is no ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address`);
  return address;
}

function withFlags({ transport, state }: Packet): Transport {
  if (transport.protocol !== 'tcp' || transport.flags) return transport;
  const flags: readonly TcpFlag[] = state === 'NEW' ? ['SYN'] : ['ACK'];
  return { ...transport, flags };
}
