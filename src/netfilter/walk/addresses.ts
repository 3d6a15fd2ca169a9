import type { Family } from '../ruleset.ts';

/** Addresses as bytes, 4 or 16 of them, and what belongs to a network. */
export interface Network {
  /** What a mask leaves out is 0. */
  readonly address: Uint8Array;
  /** Need not be contiguous: iptables takes `/255.0.0.255`. */
  readonly mask: Uint8Array;
}

/** Undefined: no address of this family. */
export function parseAddress(text: string, family: Family): Uint8Array | undefined {
  return family === 'ipv4' ? parseIpv4(text) : parseIpv6(text);
}

/** One spelling for each address: IPv6 in lower case, its longest run of zeros as `::`. */
export function printAddress(address: Uint8Array): string {
  if (address.length === 4) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => groupAt(address, i));
  const { from, to } = longestZeros(groups);
  const print = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (to - from < 2) return print(groups);
  return `${print(groups.slice(0, from))}::${print(groups.slice(to))}`;
}

/** `ADDRESS`, `ADDRESS/LENGTH` or `ADDRESS/MASK`. */
export function parseNetwork(text: string, family: Family): Network | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(slash === -1 ? text : text.slice(0, slash), family);
  if (!address) return undefined;
  const mask =
    slash === -1 ? prefixMask(address.length * 8, family) : parseMask(text.slice(slash + 1), family);
  return mask && { address: address.map((byte, i) => byte & (mask[i] ?? 0)), mask };
}

export function isWithin(address: Uint8Array, network: Network): boolean {
  const { address: base, mask } = network;
  if (address.length !== base.length) return false;
  for (let i = 0; i < base.length; i++) if (((address[i] ?? 0) & (mask[i] ?? 0)) !== base[i]) return false;
  return true;
}

/** Undefined where the mask has holes. */
export function prefixLength({ mask }: Network): number | undefined {
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const length = bits.indexOf('0');
  if (length === -1) return bits.length;
  return bits.includes('1', length) ? undefined : length;
}

export function prefixMask(length: number, family: Family): Uint8Array {
  const mask = new Uint8Array(family === 'ipv4' ? 4 : 16);
  for (let i = 0; i < mask.length; i++) mask[i] = (0xff00 >> Math.min(8, Math.max(0, length - i * 8))) & 0xff;
  return mask;
}

/** Below 0 where the first is the lower one; both of one family. */
export function compareAddresses(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The addresses from one to another, both included. Undefined: there are more than `limit`, or none. */
export function addressRange(from: Uint8Array, to: Uint8Array, limit: number): Uint8Array[] | undefined {
  const first = toNumber(from);
  const count = toNumber(to) - first + 1n;
  if (count < 1n || count > BigInt(limit)) return undefined;
  return Array.from({ length: Number(count) }, (_, i) => fromNumber(first + BigInt(i), from.length));
}

function toNumber(address: Uint8Array): bigint {
  return address.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function fromNumber(value: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt((length - 1 - i) * 8)) & 255n));
}

function parseMask(text: string, family: Family): Uint8Array | undefined {
  if (!/^\d+$/.test(text)) return parseAddress(text, family);
  const length = Number(text);
  return length <= (family === 'ipv4' ? 32 : 128) ? prefixMask(length, family) : undefined;
}

function parseIpv4(text: string): Uint8Array | undefined {
  if (!/^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(text)) return undefined;
  const bytes = text.split('.').map(Number);
  return bytes.every((byte) => byte < 256) ? Uint8Array.from(bytes) : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const before = parseGroups(head);
  const after = tail === undefined ? [] : parseGroups(tail);
  if (!before || !after) return undefined;
  const missing = 16 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined;
  return Uint8Array.from([...before, ...new Array<number>(missing).fill(0), ...after]);
}

/** Groups between colons as bytes; the last may be an IPv4 address. */
function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    const embedded = i === groups.length - 1 ? parseIpv4(group) : undefined;
    if (embedded) bytes.push(...embedded);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 255);
    } else return undefined;
  }
  return bytes;
}

function groupAt(address: Uint8Array, i: number): number {
  return ((address[i * 2] ?? 0) << 8) | (address[i * 2 + 1] ?? 0);
}

function longestZeros(groups: readonly number[]): { from: number; to: number } {
  let best = { from: 0, to: 0 };
  for (let from = 0; from < groups.length; from++) {
    let to = from;
    while (groups[to] === 0) to++;
    if (to - from > best.to - best.from) best = { from, to };
  }
  return best;
}
