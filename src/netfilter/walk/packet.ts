/**
 * netfilter/walk/: what becomes of one packet in the node's rules: both iptables backends and native
 * nft tables. Pure. What the rules leave to chance has several ends; what cannot be evaluated is
 * `unknown` and names the rule.
 */
import type { Family } from '../ruleset.ts';

/**
 * One packet, as it reaches the node or as a process of the node sends it. Addresses as a person writes them.
 * Of addresses that the kernel refuses whatever the rules say, only loopback ones are known to the walk: a
 * packet from 0.0.0.0, or over a link from an address of the node itself, is walked as if it was taken.
 */
export interface Packet {
  readonly family: Family;
  readonly origin: Origin;
  /** The link it leaves over; undefined: as the node's routes say. */
  readonly outLink?: string;
  readonly source: string;
  readonly destination: string;
  readonly transport: Transport;
  readonly state: ConnectionState;
  /** 32 bits; default 0. */
  readonly mark?: number;
  /** Of its connection, 32 bits; default 0. */
  readonly connectionMark?: number;
}

/** `link`: it arrives over one; undefined: over which is not known. */
export type Origin =
  | { readonly kind: 'link'; readonly name: string | undefined }
  | { readonly kind: 'process'; readonly uid?: number; readonly gid?: number };

/** What is undefined is not known; a match that asks for it is then `unknown`. Ports and numbers as on the wire. */
export type Transport =
  | {
      readonly protocol: 'tcp';
      readonly sourcePort?: number;
      readonly destinationPort?: number;
      /** Default `['SYN']` for a NEW packet, `['ACK']` for any other. */
      readonly flags?: readonly TcpFlag[];
    }
  | {
      readonly protocol: 'udp' | 'sctp' | 'udplite' | 'dccp';
      readonly sourcePort?: number;
      readonly destinationPort?: number;
    }
  /** Of IPv4 or IPv6, by the packet's family. */
  | { readonly protocol: 'icmp'; readonly type?: number; readonly code?: number }
  | { readonly protocol: 'esp' | 'ah'; readonly spi?: number }
  /** Any other, by its number in the IP header. */
  | { readonly protocol: 'other'; readonly number: number };

export type TcpFlag = 'FIN' | 'SYN' | 'RST' | 'PSH' | 'ACK' | 'URG';

/**
 * As `--ctstate` has it. A packet that is not NEW belongs to a connection that the kernel knows: nat
 * tables are not asked about it, and it is walked untranslated.
 */
export type ConnectionState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED';
