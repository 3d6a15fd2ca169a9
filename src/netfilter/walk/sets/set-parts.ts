import type { Family } from '../../ruleset.ts';
import { type Network, parseNetwork } from '../addresses.ts';
import { readSetPort } from './set-port.ts';

/** What the elements of a set consist of: `hash:net,port` of a network and a port. */
export type PartKind = 'ip' | 'net' | 'port' | 'mac' | 'iface' | 'mark';

const kinds: ReadonlySet<string> = new Set(['ip', 'net', 'port', 'mac', 'iface', 'mark']);

/** Of `hash:net,port`; undefined: a type that is not understood. */
export function partsOfType(type: string): readonly PartKind[] | undefined {
  const [method, list = ''] = type.split(':');
  if (method !== 'hash' && method !== 'bitmap') return undefined;
  const parts = list.split(',');
  return parts.every(isKind) ? parts : undefined;
}

function isKind(part: string): part is PartKind {
  return kinds.has(part);
}

/** One part of an element. */
export type Part =
  | { readonly kind: 'address'; readonly network: Network }
  | { readonly kind: 'text'; readonly text: string }
  /** All links whose names begin so. */
  | { readonly kind: 'beginning'; readonly text: string }
  /** It says something that cannot be compared. */
  | { readonly kind: 'opaque' };

export interface PartContext {
  readonly family: Family;
  /** Of the whole set: addresses are compared with these bits alone. */
  readonly netmask: string | undefined;
  /** Word of the entry: the link's name is only a beginning. */
  readonly isWildcard: boolean;
}

/** Undefined: not understood. */
export function readPart(kind: PartKind, text: string, context: PartContext): Part | undefined {
  switch (kind) {
    case 'ip':
    case 'net': {
      const mask = context.netmask === undefined || text.includes('/') ? '' : `/${context.netmask}`;
      const network = parseNetwork(text + mask, context.family);
      return network && { kind: 'address', network };
    }
    case 'port': {
      const port = readSetPort(text);
      return port === undefined ? undefined : { kind: 'text', text: port };
    }
    case 'mark':
      return /^(0x[\da-f]+|\d+)$/i.test(text) ? { kind: 'text', text: `${Number(text)}` } : undefined;
    case 'iface':
      if (text.startsWith('physdev:')) return { kind: 'opaque' };
      return { kind: context.isWildcard ? 'beginning' : 'text', text };
    case 'mac':
      return { kind: 'opaque' };
  }
}
