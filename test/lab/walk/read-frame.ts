import type { Frame } from './probe.ts';

/** The word of the IP header that has the packet's number in it. */
export function numberOf([, base64]: Frame): number | undefined {
  const frame = Buffer.from(base64, 'base64');
  return isIpv4(frame) ? frame.readUInt32BE(18) : frame.readUInt32BE(14);
}

/** The numbers of packets that a frame may be the TCP reset for: none, if it is none. */
export function findReset([, base64]: Frame): readonly number[] {
  const frame = Buffer.from(base64, 'base64');
  const protocol = frame[isIpv4(frame) ? 23 : 20];
  const tcp = frame.subarray(14 + (isIpv4(frame) ? 20 : 40));
  const isReset = protocol === 6 && tcp.length >= 20 && ((tcp[13] ?? 0) & 4) !== 0;
  return isReset ? [tcp.readUInt16BE(4), tcp.readUInt16BE(8)] : [];
}

function isIpv4(frame: Buffer): boolean {
  return frame.readUInt16BE(12) === 0x0800;
}
