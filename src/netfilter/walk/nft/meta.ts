import { chance, unknown } from '../answer.ts';
import type { Flight, Place } from '../flight.ts';
import type { Link, NetworkReading } from '../reading.ts';
import { familyNumber } from './connection.ts';
import { type Datatype, linkName, numberType, opaque } from './datatype.ts';
import type { Environment } from './environment.ts';
import type { Expression } from './expression.ts';
import { packetTypeOf } from './packet-type.ts';
import { protocolNumber } from './payload.ts';
import { etherTypes, linkTypes, netfilterProtocols, packetTypes, protocols } from './symbols.ts';
import type { Value } from './value.ts';

/** `meta mark`, `iifname`, ... */
export function metaExpression(key: string, environment: Environment): Expression {
  const { network } = environment;
  const name = unqualified.has(key) ? key : `meta ${key}`;
  const one = (type: Datatype, read: (flight: Flight, at: Place) => Value): Expression => ({
    name,
    types: [type],
    evaluate: (flight, at) => [read(flight, at)],
  });
  switch (key) {
    case 'iif':
    case 'oif':
      return one(linkIndex(network), (flight, at) => linkOf(key, flight, at) ?? '');
    case 'iifname':
    case 'oifname':
      return one(linkName, (flight, at) => linkOf(key, flight, at) ?? '');
    case 'iifkind':
    case 'oifkind':
      return one(linkName, (flight, at) => ofLink(linkOf(key, flight, at), network, ({ kind }) => kind));
    case 'iiftype':
      return one(numberType(linkTypes), (flight, at) => readInType(flight, at, network));
    case 'oiftype':
      return one(numberType(linkTypes), (flight, at) => ofLink(linkOf(key, flight, at), network, typeOf));
    case 'iifgroup':
    case 'oifgroup':
      return one(opaque, (flight, at) => {
        const link = linkOf(key, flight, at);
        return link === undefined ? undefined : unknown('the group of the link is not known');
      });
    case 'l4proto':
      return one(numberType(protocols), protocolNumber);
    case 'nfproto':
      return one(numberType(netfilterProtocols), familyNumber);
    case 'protocol':
      return one(numberType(etherTypes), ({ packet }) => (packet.family === 'ipv4' ? 0x800 : 0x86dd));
    case 'mark':
      return one(numberType(), ({ mark }) => mark);
    case 'skuid':
      return one(numberType(), (flight, at) => readOwner(flight, at, 'uid'));
    case 'skgid':
      return one(numberType(), (flight, at) => readOwner(flight, at, 'gid'));
    case 'pkttype':
      return one(numberType(packetTypes), (flight) => packetTypeOf(flight, network));
    case 'random':
    case 'day':
    case 'hour':
    case 'time':
      return one(opaque, () => chance(`meta ${key}`));
    default:
      return one(opaque, () => unknown(`${name} of the packet is not known`));
  }
}

const unqualified = new Set([
  'iif',
  'oif',
  'iifname',
  'oifname',
  'iifgroup',
  'oifgroup',
  'iiftype',
  'oiftype',
]);

/** Its name; undefined where there is none at this hook. */
function linkOf(key: string, flight: Flight, { hook }: Place): Value {
  if (key.startsWith('iif')) {
    if (hook === 'output') return undefined;
    // What comes over loopback is known to do so.
    return flight.inLinkUnknown
      ? { ...unknown('the link it arrives over is not known'), never: 'lo' }
      : flight.inLink;
  }
  if (hook === 'prerouting' || hook === 'input') return undefined;
  return flight.outLinkUnknown ? unknown('the link it leaves over is not known') : flight.outLink;
}

/** Rules with `iif` hold an index; nft lists the name of the link that has it, or else the number. */
function linkIndex({ links }: NetworkReading): Datatype {
  return {
    scalar(json) {
      if (json === '0' || json === 0) return '';
      if (typeof json === 'string' && !/^\d+$/.test(json)) return json;
      return links?.find(({ index }) => index === Number(json))?.name ?? `#${json}`;
    },
  };
}

function ofLink(
  name: Value,
  { links }: NetworkReading,
  read: (link: Link) => string | number | undefined,
): Value {
  if (typeof name !== 'string') return name;
  const link = links?.find((each) => each.name === name);
  return link ? read(link) : unknown(`link ${name} is not known`);
}

/** On its way out some kernels tell the type of the link out. */
function readInType(flight: Flight, at: Place, network: NetworkReading): Value {
  const comes = ofLink(linkOf('iif', flight, at), network, typeOf);
  if (at.hook !== 'postrouting') return comes;
  const leaves = ofLink(linkOf('oif', flight, at), network, typeOf);
  return comes === leaves ? comes : unknown('which link meta iiftype is about depends on the kernel');
}

const likeEthernet = new Set(['veth', 'bridge', 'vxlan', 'dummy', 'vlan', 'macvlan', 'bond', 'ifb', 'team']);

function typeOf({ loopback, kind }: Link): number | undefined {
  if (loopback) return linkTypes['loopback'];
  return kind === undefined || likeEthernet.has(kind) ? linkTypes['ether'] : undefined;
}

/** Of the process that sends it. What arrives for an established connection may belong to a socket already. */
function readOwner({ packet }: Flight, { hook }: Place, id: 'uid' | 'gid'): Value {
  const { origin, state } = packet;
  if (origin.kind === 'process' && (hook === 'output' || hook === 'postrouting')) {
    return origin[id] ?? unknown(`the ${id} of the process is not known`);
  }
  if (hook !== 'input' || state === 'NEW') return undefined;
  return unknown(`the ${id} of the socket is not known`);
}
