import type { Packet } from '../../../src/netfilter/walk/packet.ts';

/** The wire's number, and the whole frame in base64. */
export type Frame = readonly [wire: number, frame: string];

/** What a user of the node sends. */
export interface Order {
  readonly protocol: 'tcp' | 'udp';
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

export type Send =
  | { readonly kind: 'frame'; readonly frame: Frame }
  /** `owner`: which of the users. */
  /** `isAnswer`: to a connection that somebody else began. */
  | { readonly kind: 'made'; readonly owner: number; readonly order: Order; readonly isAnswer?: true };

/** One packet: what the walk is asked, and how it is sent for real. */
export interface Probe {
  /** As the walk is asked. */
  readonly packet: Packet;
  /** Of a frame, as in its header; of what is made here, the port that its connection was begun from. */
  readonly number: number;
  /** Sent before there are rules, so that its connection has the state that it should have. */
  readonly before: readonly Send[];
  readonly send: Send;
}
