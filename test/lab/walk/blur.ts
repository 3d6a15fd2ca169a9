import type { Packet, Transport } from '../../../src/netfilter/walk/packet.ts';
import type { Random } from './random.ts';

/** The same packet, less well known: what becomes of it must be among the ends nevertheless. */
export function blur(packet: Packet, random: Random): Packet {
  return random.pick<() => Packet>([
    () => ({
      ...packet,
      ...(packet.origin.kind === 'link' ? { origin: { kind: 'link', name: undefined } } : {}),
    }),
    () => ({ ...packet, ...(packet.origin.kind === 'process' ? { origin: { kind: 'process' } } : {}) }),
    () => ({ ...packet, transport: blurTransport(packet.transport) }),
  ])();
}

function blurTransport(transport: Transport): Transport {
  switch (transport.protocol) {
    case 'tcp':
      return { protocol: 'tcp', ...(transport.flags ? { flags: transport.flags } : {}) };
    case 'other':
      return transport;
    default:
      return { protocol: transport.protocol };
  }
}
