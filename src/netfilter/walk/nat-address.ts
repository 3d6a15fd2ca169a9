import type { Family } from '../ruleset.ts';
import { isWithin, parseAddress, parseNetwork } from './addresses.ts';
import type { Flight, Place } from './flight.ts';
import type { Link, LinkAddress, NetworkReading } from './reading.ts';
import { routingOf } from './routing.ts';

/** The address that MASQUERADE takes, as the kernel chooses it; undefined: it cannot be told. */
export function masqueradeSource(flight: Flight, network: NetworkReading): Uint8Array | undefined {
  const { links } = network;
  const out = links?.find(({ name }) => name === flight.outLink);
  if (!links || !out) return undefined;
  return flight.packet.family === 'ipv4' ? chooseIpv4(flight, out, network) : chooseIpv6(flight, out, links);
}

/**
 * The link's own address for what comes in, of the destination's scope in IPv6; loopback's for what a
 * process sends. Undefined: not known.
 */
export function redirectDestination(
  { packet: { family }, inLink, destination }: Flight,
  { hook }: Place,
  { links }: NetworkReading,
): Uint8Array | undefined {
  if (hook === 'output') return parseAddress(family === 'ipv4' ? '127.0.0.1' : '::1', family);
  const link = links?.find(({ name }) => name === inLink);
  const own = link ? addressesOf(link, family) : [];
  if (family === 'ipv4') return own[0]?.bytes;
  const isNear = isLinkLocal(destination) || isLinkMulticast(destination);
  return own.find(({ bytes }) => isLinkLocal(bytes) === isNear)?.bytes;
}

/** Every address that a translation may have chosen, if nobody knows which. */
export function ownAddresses({ links = [] }: NetworkReading, family: Family): readonly Uint8Array[] {
  return links.flatMap((link) => addressesOf(link, family).map(({ bytes }) => bytes));
}

interface OwnAddress extends LinkAddress {
  readonly bytes: Uint8Array;
}

function addressesOf({ addresses }: Link, family: Family): readonly OwnAddress[] {
  return addresses.flatMap((own) => {
    const bytes = own.family === family ? parseAddress(own.address, family) : undefined;
    return bytes ? [{ ...own, bytes }] : [];
  });
}

/** Of the gateway's subnet, else the first of the link, else the first of any; global ones only. */
function chooseIpv4(flight: Flight, out: Link, network: NetworkReading): Uint8Array | undefined {
  const answer = routingOf(network).lookUp(flight.destination);
  const routes = answer.kind === 'found' ? answer.routes : [];
  const gateway = routes.find(({ link }) => link === out.name)?.gateway;
  const next = (gateway === undefined ? undefined : parseAddress(gateway, 'ipv4')) ?? flight.destination;
  const onLink = globalsOf(out, 'ipv4');
  const near = onLink.find(({ address, prefixLength }) => {
    const subnet = parseNetwork(`${address}/${prefixLength}`, 'ipv4');
    return subnet && isWithin(next, subnet);
  });
  const others = (network.links ?? []).flatMap((link) => globalsOf(link, 'ipv4'));
  return (near ?? onLink[0] ?? others[0])?.bytes;
}

/** RFC 6724: the destination itself, else of its scope and its kind, and with the longest prefix in common. */
function chooseIpv6({ destination }: Flight, out: Link, links: readonly Link[]): Uint8Array | undefined {
  const all = (out.loopback ? links : [out]).flatMap((link) => addressesOf(link, 'ipv6'));
  const same = all.find(({ bytes }) => commonBits(bytes, destination) === 128);
  if (same) return same.bytes;
  const scoped = all.filter(({ bytes }) => isLinkLocal(bytes) === isLinkLocal(destination));
  const kin = scoped.filter(({ bytes }) => isUniqueLocal(bytes) === isUniqueLocal(destination));
  const usable = kin.length > 0 ? kin : scoped;
  const longest = Math.max(...usable.map(({ bytes }) => commonBits(bytes, destination)));
  return usable.find(({ bytes }) => commonBits(bytes, destination) === longest)?.bytes;
}

function globalsOf(link: Link, family: Family): readonly OwnAddress[] {
  return addressesOf(link, family).filter(({ scope }) => scope === 'global');
}

function isLinkLocal([first = 0, second = 0]: Uint8Array): boolean {
  return first === 0xfe && (second & 0xc0) === 0x80;
}

function isLinkMulticast([first = 0, second = 0]: Uint8Array): boolean {
  return first === 0xff && (second & 0x0f) === 2;
}

function isUniqueLocal([first = 0]: Uint8Array): boolean {
  return (first & 0xfe) === 0xfc;
}

function commonBits(one: Uint8Array, other: Uint8Array): number {
  for (let i = 0; i < one.length; i++) {
    const difference = (one[i] ?? 0) ^ (other[i] ?? 0);
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24;
  }
  return one.length * 8;
}
