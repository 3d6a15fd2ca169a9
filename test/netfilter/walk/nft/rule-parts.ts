import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import { toSsh } from '../node-of.ts';
import { decider, tableOn, walkNative } from './native-node.ts';

/** Statements and expressions as nft lists them in JSON. */
export const accept = { accept: null };
export const drop = { drop: null };
export const counter = { counter: { packets: 0, bytes: 0 } };
export const source = { payload: { protocol: 'ip', field: 'saddr' } };
export const port = { payload: { protocol: 'tcp', field: 'dport' } };
export const half = { numgen: { mode: 'random', mod: 2, offset: 0 } };

export const ct = (key: string) => ({ ct: { key } });
export const meta = (key: string) => ({ meta: { key } });
export const xt = (name: string, type = 'match') => ({ xt: { type, name } });

export function match(left: unknown, right: unknown, op = '==') {
  return { match: { op, left, right } };
}

export const sourceIs = match(source, toSsh.source);

/** Verdict, and who decided each end, in a chain on input. */
export function outcome(
  rules: readonly (readonly unknown[])[],
  packet: Packet = toSsh,
  more: Readonly<Record<string, readonly (readonly unknown[])[]>> = {},
): string {
  const { verdict, ends } = walkNative(tableOn('input', rules, { more }), packet);
  return `${verdict}: ${ends.map(decider).sort().join(', ')}`;
}
