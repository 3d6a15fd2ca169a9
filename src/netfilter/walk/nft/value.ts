import type { Doubt } from '../answer.ts';

/** Addresses are their bytes as characters, so that they compare as the kernel compares them. */
export type Scalar = number | string;

/** A value that is not known, or that chance decides. */
export interface Open extends Doubt {
  /** All that it may be, where those are few. */
  readonly choices?: readonly Scalar[];
  /** What it is not. */
  readonly never?: Scalar;
  /** Bits that are known for all that: which, and what they are. */
  readonly known?: { readonly mask: number; readonly bits: number };
}

/** Undefined: the packet has no such thing, and the rule ends there, matching nothing. */
export type Value = Scalar | Open | undefined;

export function isOpen(value: Value): value is Open {
  return typeof value === 'object';
}

export function bytesToScalar(bytes: Uint8Array): Scalar {
  return String.fromCharCode(...bytes);
}

export function scalarToBytes(scalar: Scalar): Uint8Array | undefined {
  return typeof scalar === 'string' ? Uint8Array.from(scalar, (char) => char.charCodeAt(0)) : undefined;
}
