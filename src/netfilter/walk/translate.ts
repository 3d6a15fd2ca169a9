import { printAddress } from './addresses.ts';
import type { Flight } from './flight.ts';
import type { Transport } from './packet.ts';

/** Ports of `Translation`: kept, one of many that nobody can tell, or this one. */
export type NewPort = 'kept' | 'some' | number;

export function withDestination(flight: Flight, address: Uint8Array, port: NewPort): Flight {
  const destination = printAddress(address);
  const transport = withPort(flight.packet.transport, 'destinationPort', port);
  if (destination === flight.packet.destination && transport === flight.packet.transport) return flight;
  return {
    ...flight,
    packet: { ...flight.packet, destination, transport },
    destination: address,
    destinationTranslated: true,
  };
}

export function withSource(flight: Flight, address: Uint8Array, port: NewPort): Flight {
  const source = printAddress(address);
  const transport = withPort(flight.packet.transport, 'sourcePort', port);
  if (source === flight.packet.source && transport === flight.packet.transport) return flight;
  return {
    ...flight,
    packet: { ...flight.packet, source, transport },
    source: address,
    sourceTranslated: true,
  };
}

/** `203.0.113.7:80`, `[2001:db8::7]:80`, or the address alone where there is no port. */
export function printEnd({ packet }: Flight, side: 'source' | 'destination'): string {
  const port = portOf(packet.transport, side);
  const address = packet[side];
  if (port === undefined) return address;
  return packet.family === 'ipv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Undefined: not known, or there is no such thing. */
export function portOf(transport: Transport, side: 'source' | 'destination'): number | undefined {
  switch (transport.protocol) {
    case 'icmp':
    case 'esp':
    case 'ah':
    case 'other':
      return undefined;
    default:
      return side === 'source' ? transport.sourcePort : transport.destinationPort;
  }
}

function withPort(transport: Transport, name: 'sourcePort' | 'destinationPort', port: NewPort): Transport {
  switch (transport.protocol) {
    case 'tcp':
    case 'udp':
    case 'sctp':
    case 'udplite':
    case 'dccp': {
      if (port === 'kept' || port === transport[name]) return transport;
      if (port !== 'some') return { ...transport, [name]: port };
      const { [name]: _, ...rest } = transport;
      return rest;
    }
    default:
      return transport;
  }
}
