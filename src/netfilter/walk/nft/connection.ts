import type { Family } from '../../ruleset.ts';
import { parseAddress } from '../addresses.ts';
import { unknown } from '../answer.ts';
import type { Flight, Place } from '../flight.ts';
import type { ConnectionState } from '../packet.ts';
import { portOf } from '../translate.ts';
import { bitsType, type Datatype, ipv4Address, ipv6Address, numberType, opaque } from './datatype.ts';
import type { Environment } from './environment.ts';
import type { Expression } from './expression.ts';
import { protocolNumber } from './payload.ts';
import {
  connectionStates,
  connectionStatuses,
  directions,
  netfilterProtocols,
  protocols,
} from './symbols.ts';
import { bytesToScalar, type Open, type Value } from './value.ts';

/** `ct state`, `ct original ip daddr`, ... */
export function connectionExpression(
  key: string,
  direction: string | undefined,
  { family }: Environment,
): Expression {
  const name = ['ct', direction, key].filter((word) => word !== undefined).join(' ');
  const known = keys[key];
  if (known) {
    const { type, read } = known;
    return { name, types: [type], evaluate: (flight, at) => [read(flight, at)] };
  }
  const end = ends[key];
  if (!end || (direction !== 'original' && direction !== 'reply')) {
    const reason = `${name} of the connection is not known`;
    return { name, types: [opaque], evaluate: (f, at) => [isTracked(f, at) ? unknown(reason) : undefined] };
  }
  return {
    name,
    types: [end.isPort ? numberType() : addressTypeOf(key, family)],
    evaluate: (flight, at) => [isOtherFamily(key, flight) ? undefined : readEnd(flight, at, direction, end)],
  };
}

interface Key {
  readonly type: Datatype;
  read(flight: Flight, at: Place): Value;
}

const keys: Readonly<Record<string, Key>> = {
  state: { type: bitsType(connectionStates), read: readState },
  status: { type: bitsType(connectionStatuses), read: readStatus },
  mark: { type: numberType(), read: (f, at) => (isTracked(f, at) ? f.connectionMark : undefined) },
  direction: { type: numberType(directions), read: readDirection },
  l3proto: {
    type: numberType(netfilterProtocols),
    read: (f, at) => (isTracked(f, at) ? familyNumber(f) : undefined),
  },
  protocol: { type: numberType(protocols), read: readProtocol },
};

export function familyNumber({ packet }: Flight): number {
  return packet.family === 'ipv4' ? 2 : 10;
}

/** Whether conntrack has a connection for it. */
export function isTracked({ packet: { state } }: Flight, at: Place): boolean {
  return at.tracked && state !== 'INVALID' && state !== 'UNTRACKED';
}

const stateBits: Readonly<Record<ConnectionState, number>> = {
  INVALID: 1,
  ESTABLISHED: 2,
  RELATED: 4,
  NEW: 8,
  UNTRACKED: 64,
};

/** Before conntrack has looked a packet is invalid, or untracked once a rule has said so. */
function readState({ packet: { state }, original }: Flight, { tracked }: Place): Value {
  if (tracked) return stateBits[state];
  if (state !== 'UNTRACKED') return stateBits.INVALID;
  if (original.state !== 'UNTRACKED') return stateBits.UNTRACKED;
  return unknown('which rule makes the packet untracked is not known');
}

/** An ICMP error belongs to the connection that it is about. */
function readProtocol(flight: Flight, at: Place): Value {
  if (!isTracked(flight, at)) return undefined;
  const { state, transport } = flight.packet;
  if (state !== 'RELATED' || transport.protocol !== 'icmp') return protocolNumber(flight);
  return unknown('the protocol of the connection is not known');
}

const openStatus = 'the status of the connection is not known in full';

function readStatus(flight: Flight, at: Place): Value {
  if (!isTracked(flight, at)) return undefined;
  const { expected = 0, 'seen-reply': seenReply = 0, assured = 0, snat = 0, dnat = 0 } = connectionStatuses;
  const isNew = flight.packet.state === 'NEW';
  const known = isNew
    ? {
        mask: expected | seenReply | assured | snat | dnat,
        bits: (flight.sourceTranslated ? snat : 0) | (flight.destinationTranslated ? dnat : 0),
      }
    : { mask: seenReply, bits: flight.packet.state === 'ESTABLISHED' ? seenReply : 0 };
  const open: Open = unknown(openStatus);
  return flight.packet.state === 'RELATED' ? open : { ...open, known };
}

function readDirection(flight: Flight, at: Place): Value {
  if (!isTracked(flight, at)) return undefined;
  if (flight.packet.state === 'NEW') return 0;
  return unknown('the direction of the packet within its connection is not known');
}

function addressTypeOf(key: string, family: Family): Datatype {
  const isIpv4 = key.startsWith('ip6 ') ? false : key.startsWith('ip ') || family === 'ipv4';
  return isIpv4 ? ipv4Address : ipv6Address;
}

/** `ct original ip saddr` is of IPv4 alone. */
function isOtherFamily(key: string, { packet }: Flight): boolean {
  return key.startsWith(packet.family === 'ipv4' ? 'ip6 ' : 'ip ');
}

interface End {
  readonly which: 'source' | 'destination';
  readonly isPort: boolean;
}

const ends: Readonly<Record<string, End>> = {
  saddr: { which: 'source', isPort: false },
  daddr: { which: 'destination', isPort: false },
  'ip saddr': { which: 'source', isPort: false },
  'ip daddr': { which: 'destination', isPort: false },
  'ip6 saddr': { which: 'source', isPort: false },
  'ip6 daddr': { which: 'destination', isPort: false },
  'proto-src': { which: 'source', isPort: true },
  'proto-dst': { which: 'destination', isPort: true },
};

/** The reply comes from where the packet goes to by now. */
function readEnd(flight: Flight, at: Place, direction: 'original' | 'reply', { which, isPort }: End): Value {
  if (!isTracked(flight, at)) return undefined;
  const { packet, original } = flight;
  if (packet.state !== 'NEW') return unknown(`the ${direction} addresses of the connection are not known`);
  const of = direction === 'original' ? original : packet;
  const meant = direction === 'original' ? which : which === 'source' ? 'destination' : 'source';
  if (!isPort) {
    const bytes = parseAddress(of[meant], of.family);
    return bytes && bytesToScalar(bytes);
  }
  const port = portOf(of.transport, meant);
  return port ?? unknown(`the ${meant} port of the packet is not known`);
}
