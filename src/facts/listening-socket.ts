import type { Family } from '../netfilter/ruleset.ts';

/** A TCP socket that listens, or a UDP socket that takes packets from anybody: VXLAN's and WireGuard's, too. */
export interface ListeningSocket {
  readonly protocol: 'tcp' | 'udp';
  /** Of the socket. One at `::` most often takes IPv4 as well: see `listensOn`. */
  readonly family: Family;
  /** As a person writes it; `0.0.0.0` and `::` are every address. */
  readonly address: string;
  readonly port: number;
}

/** Whether only this node itself can reach it. */
export function isLoopbackOnly({ address }: ListeningSocket): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

/**
 * Whether what is sent to one of this node's addresses comes to this socket, as far as can be told: one at
 * `::` is taken to be for IPv4, too, which only its owner could have forbidden.
 */
export function listensOn(socket: ListeningSocket, family: Family, address: string): boolean {
  if (socket.address === '::') return true;
  if (socket.address === '0.0.0.0') return family === 'ipv4';
  return socket.address === address || socket.address === `::ffff:${address}`;
}
