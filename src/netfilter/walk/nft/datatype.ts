import type { Family } from '../../ruleset.ts';
import { parseAddress, parseNetwork, prefixMask } from '../addresses.ts';
import { isObject, listOf } from './json.ts';
import type { Symbols } from './symbols.ts';
import { bytesToScalar, type Scalar } from './value.ts';

/** How nft writes the values of an expression, and what they are. */
export interface Datatype {
  /** Undefined: not understood. */
  scalar(json: unknown): Scalar | undefined;
  /** True for types whose values are sets of bits: `ct state`, `tcp flags`. */
  readonly isBits?: true;
  readonly family?: Family;
}

/** Values from one to another, both included, or all that begin alike. */
export type Span = { readonly from: Scalar; readonly to: Scalar } | { readonly beginning: string };

export function isInSpan(span: Span, value: Scalar): boolean {
  if ('beginning' in span) return typeof value === 'string' && value.startsWith(span.beginning);
  return span.from <= value && value <= span.to;
}

export function isOneValue(span: Span): span is { readonly from: Scalar; readonly to: Scalar } {
  return 'from' in span && span.from === span.to;
}

export function addressType(family: Family): Datatype {
  return {
    family,
    scalar(json) {
      const address = typeof json === 'string' ? parseAddress(json, family) : undefined;
      return address && bytesToScalar(address);
    },
  };
}

export const ipv4Address = addressType('ipv4');
export const ipv6Address = addressType('ipv6');

export function numberType(symbols: Symbols = {}): Datatype {
  return { scalar: (json) => numberOf(json, symbols) };
}

export function bitsType(symbols: Symbols): Datatype {
  return { isBits: true, scalar: (json) => bitsOf(json, symbols) };
}

/** Names of links; `eth*` is all that begin so. */
export const linkName: Datatype = {
  scalar: (json) => (typeof json === 'string' ? json.replace(/\\(.)/g, '$1') : undefined),
};

/** Of an expression that is not understood: it has values, but which cannot be told. */
export const opaque: Datatype = { scalar: () => undefined };

/** Reads a value, a prefix, or a range. */
export function readSpan(type: Datatype, json: unknown): Span | undefined {
  if (isObject(json)) {
    if ('range' in json) {
      const [from, to] = listOf(json['range']).map((end) => type.scalar(end));
      return from === undefined || to === undefined ? undefined : { from, to };
    }
    if ('prefix' in json) return readPrefix(type, json['prefix']);
  }
  if (type === linkName && typeof json === 'string' && /(^|[^\\])\*$/.test(json)) {
    return { beginning: json.slice(0, -1) };
  }
  const value = type.scalar(json);
  return value === undefined ? undefined : { from: value, to: value };
}

function readPrefix({ family }: Datatype, json: unknown): Span | undefined {
  if (!family || !isObject(json)) return undefined;
  const { addr, len } = json;
  const network = parseNetwork(`${addr}/${len}`, family);
  if (!network || typeof len !== 'number') return undefined;
  const mask = prefixMask(len, family);
  const last = network.address.map((byte, i) => byte | (~(mask[i] ?? 0) & 0xff));
  return { from: bytesToScalar(network.address), to: bytesToScalar(last) };
}

function numberOf(json: unknown, symbols: Symbols): number | undefined {
  if (typeof json === 'number') return json;
  if (typeof json !== 'string') return undefined;
  if (Object.hasOwn(symbols, json)) return symbols[json];
  return /^(\d+|0x[0-9a-f]+)$/i.test(json) ? Number(json) : undefined;
}

/** One name, a list of them, or `{"|": [...]}` in newer versions. */
function bitsOf(json: unknown, symbols: Symbols): number | undefined {
  const names = isObject(json) && '|' in json ? json['|'] : json;
  let bits = 0;
  for (const name of listOf(names)) {
    const bit = isObject(name) ? bitsOf(name, symbols) : numberOf(name, symbols);
    if (bit === undefined) return undefined;
    bits |= bit;
  }
  return bits >>> 0;
}
