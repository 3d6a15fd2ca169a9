import type { Packet } from '../../../src/netfilter/walk/packet.ts';
import { buildTransport, protocolNumber } from './build-transport.ts';
import { checksum } from './checksum.ts';
import { parseAddress } from './parse-address.ts';

export interface FrameOptions {
  /** 14 bits that tell this packet from all others, and 2 of its mark above them. */
  readonly number: number;
  readonly destinationMac: string;
  readonly sourceMac: string;
  /** Instead of what the packet's transport says. */
  readonly payload?: Uint8Array;
}

/** A whole Ethernet frame with this packet in it. */
export function buildFrame(packet: Packet, options: FrameOptions): Uint8Array {
  const type = packet.family === 'ipv4' ? [0x08, 0x00] : [0x86, 0xdd];
  const ip = buildIp(packet, options);
  return Buffer.concat([mac(options.destinationMac), mac(options.sourceMac), Buffer.from(type), ip]);
}

export function buildIp(
  packet: Packet,
  { number, payload }: Pick<FrameOptions, 'number' | 'payload'>,
): Buffer {
  const transport = payload ?? buildTransport(packet, number);
  const header =
    packet.family === 'ipv4' ? header4(packet, transport, number) : header6(packet, transport, number);
  return Buffer.concat([header, transport]);
}

function header4(packet: Packet, transport: Uint8Array, number: number): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + transport.length, 2);
  header.writeUInt16BE(number, 4);
  // Don't fragment.
  header[6] = 0x40;
  header[8] = 64;
  header[9] = protocolNumber(packet);
  header.set(parseAddress(packet.source), 12);
  header.set(parseAddress(packet.destination), 16);
  header.writeUInt16BE(checksum(header), 10);
  return header;
}

function header6(packet: Packet, transport: Uint8Array, number: number): Buffer {
  const header = Buffer.alloc(40);
  // The number is the lower half of the flow label.
  header.writeUInt32BE(0x60000000 | number, 0);
  header.writeUInt16BE(transport.length, 4);
  header[6] = protocolNumber(packet);
  // Neighbour discovery is believed with 255 alone.
  header[7] = 255;
  header.set(parseAddress(packet.source), 8);
  header.set(parseAddress(packet.destination), 24);
  return header;
}

function mac(text: string): Buffer {
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}
