import { unknown } from '../answer.ts';
import type { Flight } from '../flight.ts';
import type { Transport } from '../packet.ts';
import { portOf } from '../translate.ts';
import { bitsType, type Datatype, ipv4Address, ipv6Address, numberType, opaque } from './datatype.ts';
import type { Expression } from './expression.ts';
import { etherTypes, icmp6Codes, icmp6Types, icmpCodes, icmpTypes, protocols, tcpFlags } from './symbols.ts';
import { bytesToScalar, type Value } from './value.ts';

/** A field of a header. A packet that has no such header ends the rule. */
export function payloadExpression(header: string, field: string): Expression {
  const name = `${header} ${field}`;
  const known = fields[name];
  if (known) return { name, types: [known.type], evaluate: (flight) => [known.read(flight)] };
  const hasHeader = headers[header];
  const reason = `${name} of the packet is not known`;
  return {
    name,
    types: [opaque],
    evaluate: (flight) => [hasHeader?.(flight) === false ? undefined : unknown(reason)],
  };
}

interface Field {
  readonly type: Datatype;
  read(flight: Flight): Value;
}

const isIpv4 = ({ packet }: Flight) => packet.family === 'ipv4';
const isIpv6 = ({ packet }: Flight) => packet.family === 'ipv6';
const carries = (protocol: Transport['protocol']) => (flight: Flight) =>
  flight.packet.transport.protocol === protocol;

const headers: Readonly<Record<string, (flight: Flight) => boolean>> = {
  ip: isIpv4,
  ip6: isIpv6,
  tcp: carries('tcp'),
  udp: carries('udp'),
  sctp: carries('sctp'),
  dccp: carries('dccp'),
  udplite: carries('udplite'),
  esp: carries('esp'),
  ah: carries('ah'),
  comp: (flight) => protocolNumber(flight) === protocols['comp'],
  igmp: (flight) => isIpv4(flight) && protocolNumber(flight) === protocols['igmp'],
  gre: (flight) => protocolNumber(flight) === protocols['gre'],
  icmp: (flight) => isIpv4(flight) && carries('icmp')(flight),
  icmpv6: (flight) => isIpv6(flight) && carries('icmp')(flight),
  arp: () => false,
};

const unfragmented = {
  ...unknown('whether the packet may be fragmented is not known'),
  known: { mask: 0x3fff, bits: 0 },
};
const port = numberType();
const protocol = numberType(protocols);
const flagBits = bitsType(tcpFlags);

const fields: Readonly<Record<string, Field>> = {
  'ip saddr': { type: ipv4Address, read: (f) => (isIpv4(f) ? bytesToScalar(f.source) : undefined) },
  'ip daddr': { type: ipv4Address, read: (f) => (isIpv4(f) ? bytesToScalar(f.destination) : undefined) },
  'ip6 saddr': { type: ipv6Address, read: (f) => (isIpv6(f) ? bytesToScalar(f.source) : undefined) },
  'ip6 daddr': { type: ipv6Address, read: (f) => (isIpv6(f) ? bytesToScalar(f.destination) : undefined) },
  'ip protocol': { type: protocol, read: (f) => (isIpv4(f) ? protocolNumber(f) : undefined) },
  'ip6 nexthdr': { type: protocol, read: (f) => (isIpv6(f) ? protocolNumber(f) : undefined) },
  // Conntrack puts fragments together before any rule but those of raw sees them.
  'ip frag-off': { type: numberType(), read: (f) => (isIpv4(f) ? unfragmented : undefined) },
  'ip version': { type: numberType(), read: (f) => (isIpv4(f) ? 4 : undefined) },
  'ip6 version': { type: numberType(), read: (f) => (isIpv6(f) ? 6 : undefined) },
  'tcp flags': { type: flagBits, read: (f) => readFlags(f) },
  'icmp type': { type: numberType(icmpTypes), read: (f) => readIcmp(f, 'icmp', 'type') },
  'icmp code': { type: numberType(icmpCodes), read: (f) => readIcmp(f, 'icmp', 'code') },
  'icmpv6 type': { type: numberType(icmp6Types), read: (f) => readIcmp(f, 'icmpv6', 'type') },
  'icmpv6 code': { type: numberType(icmp6Codes), read: (f) => readIcmp(f, 'icmpv6', 'code') },
  'esp spi': { type: numberType(), read: (f) => readSpi(f, 'esp') },
  'ah spi': { type: numberType(), read: (f) => readSpi(f, 'ah') },
  'ether type': { type: numberType(etherTypes), read: (f) => (isIpv4(f) ? 0x800 : 0x86dd) },
  'th sport': { type: port, read: (f) => readPort(f, 'source') },
  'th dport': { type: port, read: (f) => readPort(f, 'destination') },
  ...Object.fromEntries(
    (['tcp', 'udp', 'sctp', 'dccp', 'udplite'] as const).flatMap((header): [string, Field][] => [
      [`${header} sport`, { type: port, read: (f) => portIn(f, header, 'source') }],
      [`${header} dport`, { type: port, read: (f) => portIn(f, header, 'destination') }],
    ]),
  ),
};

type Port = 'source' | 'destination';

function portIn(flight: Flight, header: Transport['protocol'], end: Port): Value {
  return carries(header)(flight) ? readPort(flight, end) : undefined;
}

/** Of other protocols whatever stands where TCP has its ports. */
function readPort({ packet: { transport } }: Flight, end: Port): Value {
  return portOf(transport, end) ?? unknown(`the ${end} port of the packet is not known`);
}

function readFlags({ packet: { transport, state } }: Flight): Value {
  if (transport.protocol !== 'tcp') return undefined;
  const flags = transport.flags ?? (state === 'NEW' ? ['SYN'] : ['ACK']);
  return flags.reduce((bits, flag) => bits | (tcpFlags[flag.toLowerCase()] ?? 0), 0);
}

function readIcmp(flight: Flight, header: 'icmp' | 'icmpv6', field: 'type' | 'code'): Value {
  const { transport } = flight.packet;
  if (transport.protocol !== 'icmp' || !headers[header]?.(flight)) return undefined;
  return transport[field] ?? unknown(`the ICMP ${field} of the packet is not known`);
}

function readSpi({ packet: { transport } }: Flight, header: 'esp' | 'ah'): Value {
  if (transport.protocol !== header) return undefined;
  return transport.spi ?? unknown('the SPI of the packet is not known');
}

/** As in the IP header. */
export function protocolNumber({ packet: { family, transport } }: Flight): number {
  if (transport.protocol === 'other') return transport.number;
  if (transport.protocol === 'icmp') return family === 'ipv4' ? 1 : 58;
  return protocols[transport.protocol] ?? 0;
}
