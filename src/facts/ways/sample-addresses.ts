import type { Family } from '../../netfilter/ruleset.ts';
import { type Network, parseNetwork, prefixLength, printAddress } from '../../netfilter/walk/addresses.ts';

export function familyOf(address: string): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** The first, a middle and the last host address of `ADDRESS/LENGTH`; of a single address that one. */
export function sampleAddresses(text: string): readonly string[] {
  const network = parseNetwork(text, familyOf(text));
  const length = network && prefixLength(network);
  if (!network || length === undefined) return [];
  const bits = network.address.length * 8 - length;
  const size = 2n ** BigInt(bits);
  // The first is the network's own, the last is its broadcast address.
  const offsets = bits < 2 ? [0n, size - 1n] : [1n, size / 2n, size - 2n];
  return [...new Set(offsets.map((offset) => printAddress(addressAt(network, offset))))];
}

function addressAt({ address }: Network, offset: bigint): Uint8Array {
  const base = address.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const value = base + offset;
  return address.map((_, i) => Number((value >> BigInt((address.length - 1 - i) * 8)) & 255n));
}
