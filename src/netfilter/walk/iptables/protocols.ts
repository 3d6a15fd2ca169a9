import { type Answer, unknown } from '../answer.ts';
import type { Flight } from '../flight.ts';

/** Names that iptables prints; anything else it prints as a number, or as /etc/protocols has it. */
const numbers: ReadonlyMap<string, number> = new Map([
  ['all', 0],
  ['ip', 0],
  ['icmp', 1],
  ['igmp', 2],
  ['ggp', 3],
  ['ipencap', 4],
  ['ipip', 4],
  ['st', 5],
  ['tcp', 6],
  ['egp', 8],
  ['igp', 9],
  ['pup', 12],
  ['udp', 17],
  ['hmp', 20],
  ['xns-idp', 22],
  ['rdp', 27],
  ['iso-tp4', 29],
  ['dccp', 33],
  ['xtp', 36],
  ['ddp', 37],
  ['idpr-cmtp', 38],
  ['ipv6', 41],
  ['ipv6-route', 43],
  ['ipv6-frag', 44],
  ['idrp', 45],
  ['rsvp', 46],
  ['gre', 47],
  ['esp', 50],
  ['ipv6-crypt', 50],
  ['ah', 51],
  ['ipv6-auth', 51],
  ['skip', 57],
  ['icmpv6', 58],
  ['icmp6', 58],
  ['ipv6-icmp', 58],
  ['ipv6-nonxt', 59],
  ['ipv6-opts', 60],
  ['rspf', 73],
  ['vmtp', 81],
  ['eigrp', 88],
  ['ospf', 89],
  ['ax.25', 93],
  ['etherip', 97],
  ['encap', 98],
  ['pim', 103],
  ['ipcomp', 108],
  ['vrrp', 112],
  ['l2tp', 115],
  ['isis', 124],
  ['sctp', 132],
  ['fc', 133],
  ['mobility-header', 135],
  ['ipv6-mh', 135],
  ['mh', 135],
  ['udplite', 136],
  ['mpls-in-ip', 137],
  ['manet', 138],
  ['hip', 139],
  ['shim6', 140],
  ['wesp', 141],
  ['rohc', 142],
  ['ethernet', 143],
]);

const unknownProtocol = unknown('the protocol inside of the authentication header is not known');

/** By its name or number, as in `-p`. */
export function isOfProtocol(flight: Flight, name: string): Answer {
  const number = /^\d+$/.test(name) ? Number(name) : numbers.get(name);
  if (number === undefined) return unknown(`protocol ${name} is not understood`);
  if (number === 0) return true;
  const { transport, family } = flight.packet;
  // IPv6 takes the header for one of those before the protocol, and looks behind it.
  if (transport.protocol === 'ah' && family === 'ipv6') return number === 51 ? false : unknownProtocol;
  return numberOf(flight) === number;
}

function numberOf({ packet: { transport, family } }: Flight): number {
  switch (transport.protocol) {
    case 'other':
      return transport.number;
    case 'icmp':
      return family === 'ipv4' ? 1 : 58;
    default:
      return numbers.get(transport.protocol) ?? -1;
  }
}
