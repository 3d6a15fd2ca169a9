import type { Packet } from './packet.ts';
import type { FirewallReading } from './reading.ts';
import type { Walk } from './walk.ts';

/** A node's rules, ready to be asked about packets. Chains are compiled when the first packet comes to them. */
export interface Firewall {
  readonly reading: FirewallReading;
  /**
   * Walks one packet through every table of every backend, through routing, and through the hooks that
   * follow from it. Throws RangeError for a packet whose addresses cannot be read.
   */
  walk(packet: Packet): Walk;
}

export function createFirewall(reading: FirewallReading): Firewall {
  return {
    reading,
    walk() {
      throw new Error('not built yet');
    },
  };
}
