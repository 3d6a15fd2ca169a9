import type { Packet } from '../../netfilter/walk/packet.ts';
import { familyOf } from './sample-addresses.ts';

/** One packet on a way by which people reach this node, or the cluster the API. */
export interface Way {
  /** Such as `a new SSH connection from 192.0.2.7 to 192.0.2.1 port 22`. */
  readonly title: string;
  readonly packet: Packet;
  /** Its destination is a Service's: untranslated it leads nowhere. */
  readonly isService?: boolean;
}

export interface Party {
  readonly address: string;
  readonly port: number;
}

interface TcpPacket {
  readonly from: Party;
  readonly to: Party;
  readonly state: 'NEW' | 'ESTABLISHED';
}

/** Sent by this node itself. Servers, and k3s as a client, run as root. */
export function sent(what: TcpPacket): Packet {
  return { ...tcp(what), origin: { kind: 'process', uid: 0, gid: 0 } };
}

/** One for each link that it may come over. */
export function received(what: TcpPacket, links: readonly (string | undefined)[]): readonly Packet[] {
  return links.map((name) => ({ ...tcp(what), origin: { kind: 'link', name } }));
}

function tcp({ from, to, state }: TcpPacket): Omit<Packet, 'origin'> {
  return {
    family: familyOf(to.address),
    source: from.address,
    destination: to.address,
    transport: { protocol: 'tcp', sourcePort: from.port, destinationPort: to.port },
    state,
  };
}

/** From which a client may well connect: one that Linux picks. */
export const clientPort = 41_952;

export function at({ address, port }: Party): string {
  return `${address} port ${port}`;
}
