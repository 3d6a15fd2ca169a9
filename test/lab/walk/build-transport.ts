import type { Packet, TcpFlag } from '../../../src/netfilter/walk/packet.ts';
import { checksum, crc32c } from './checksum.ts';
import { parseAddress } from './parse-address.ts';

/** As in the IP header. */
export function protocolNumber({ family, transport }: Packet): number {
  switch (transport.protocol) {
    case 'icmp':
      return family === 'ipv4' ? 1 : 58;
    case 'other':
      return transport.number;
    default:
      return numbers[transport.protocol];
  }
}

const numbers = { tcp: 6, udp: 17, dccp: 33, esp: 50, ah: 51, sctp: 132, udplite: 136 } as const;

/** Header and some payload, 24 bytes at least. What the packet leaves open is made from `number`. */
export function buildTransport(packet: Packet, number: number): Buffer {
  const { transport } = packet;
  switch (transport.protocol) {
    case 'tcp':
      return tcp(packet, transport.flags ?? (packet.state === 'NEW' ? ['SYN'] : ['ACK']), number);
    case 'udp':
      return udp(packet);
    case 'udplite':
      throw new RangeError('conntrack sums it up as if it were UDP, and finds it invalid');
    case 'sctp':
      return sctp(transport.sourcePort ?? 0, transport.destinationPort ?? 0);
    case 'dccp':
      return dccp(packet);
    case 'icmp':
      return icmp(packet, number);
    case 'esp': {
      const bytes = Buffer.alloc(32);
      bytes.writeUInt32BE(transport.spi ?? 0, 0);
      bytes.writeUInt32BE(1, 4);
      return bytes;
    }
    case 'ah': {
      const bytes = Buffer.alloc(40);
      // Next header: none; length in words of four bytes, less two.
      bytes.set([59, 4], 0);
      bytes.writeUInt32BE(transport.spi ?? 0, 4);
      bytes.writeUInt32BE(1, 8);
      return bytes;
    }
    case 'other':
      return Buffer.alloc(32);
  }
}

const flagBits: Readonly<Record<TcpFlag, number>> = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32 };

/** Both sequence numbers carry the number, so that it is in a reset, whichever of them that has. */
function tcp(packet: Packet, flags: readonly TcpFlag[], number: number): Buffer {
  const bytes = Buffer.alloc(24);
  writePorts(bytes, packet);
  bytes.writeUInt32BE(number * 0x10000 + 0x100, 4);
  bytes.writeUInt32BE(number * 0x10000 + 0x100, 8);
  bytes[12] = 0x50;
  bytes[13] = flags.reduce((bits, flag) => bits | flagBits[flag], 0);
  bytes.writeUInt16BE(64000, 14);
  bytes.writeUInt16BE(sumWithPseudoHeader(packet, bytes), 16);
  return bytes;
}

function udp(packet: Packet): Buffer {
  const bytes = Buffer.alloc(24);
  writePorts(bytes, packet);
  bytes.writeUInt16BE(bytes.length, 4);
  bytes.writeUInt16BE(sumWithPseudoHeader(packet, bytes) || 0xffff, 6);
  return bytes;
}

/** An INIT chunk, the only thing that begins an association. */
function sctp(sourcePort: number, destinationPort: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt16BE(sourcePort, 0);
  bytes.writeUInt16BE(destinationPort, 2);
  bytes[12] = 1;
  bytes.writeUInt16BE(20, 14);
  bytes.writeUInt32BE(0x12345678, 16);
  bytes.writeUInt32BE(64000, 20);
  bytes.writeUInt16BE(1, 24);
  bytes.writeUInt16BE(1, 26);
  bytes.writeUInt32LE(crc32c(bytes), 8);
  return bytes;
}

/** A request, with a long sequence number and a service code. */
function dccp(packet: Packet): Buffer {
  const bytes = Buffer.alloc(24);
  writePorts(bytes, packet);
  bytes[4] = 5;
  bytes[8] = 1;
  bytes.writeUInt32BE(1, 12);
  bytes.writeUInt16BE(sumWithPseudoHeader(packet, bytes), 6);
  return bytes;
}

/** Bytes 4 and 5 are the identifier of those types that have one. */
function icmp(packet: Packet, number: number): Buffer {
  const { transport } = packet;
  if (transport.protocol !== 'icmp') throw new TypeError(transport.protocol);
  const bytes = Buffer.alloc(32);
  bytes[0] = transport.type ?? 0;
  bytes[1] = transport.code ?? 0;
  if (packet.family === 'ipv6' && transport.type === 135) {
    bytes.set(parseAddress(packet.destination), 8);
    // Option 1, source link-layer address.
    bytes.set([1, 1, 2, 0, 0, 0, 0, 1], 24);
  } else {
    bytes.writeUInt16BE(icmpId(number), 4);
  }
  return checksumIcmp(packet, bytes);
}

/** Fills it in. */
export function checksumIcmp(packet: Packet, bytes: Buffer): Buffer {
  bytes.writeUInt16BE(packet.family === 'ipv4' ? checksum(bytes) : sumWithPseudoHeader(packet, bytes), 2);
  return bytes;
}

function icmpId(number: number): number {
  return 0xc000 | (number & 0x3fff);
}

function writePorts(bytes: Buffer, { transport }: Packet): void {
  if (!('sourcePort' in transport) && !('destinationPort' in transport)) return;
  bytes.writeUInt16BE(transport.sourcePort ?? 0, 0);
  bytes.writeUInt16BE(transport.destinationPort ?? 0, 2);
}

function sumWithPseudoHeader(packet: Packet, bytes: Uint8Array): number {
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(bytes.length, 0);
  tail[7] = protocolNumber(packet);
  return checksum(parseAddress(packet.source), parseAddress(packet.destination), tail, bytes);
}
