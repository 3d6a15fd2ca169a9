import { ipv6Groups, isIpv4 } from './ip.ts';

/** A key of a server block, or the zone of a plugin, as CoreDNS reads it. */
export type Zones =
  | {
      readonly kind: 'zones';
      /** With the dot at their end. A range of addresses may stand for several. */
      readonly names: readonly string[];
      readonly transport: string;
      readonly port: string | undefined;
    }
  | { readonly kind: 'invalid'; readonly reason: string };

const transports = /^(tls|dns|quic|grpc|https|unix):\/\//;
const defaultPorts: Readonly<Record<string, string>> = {
  dns: '53',
  tls: '853',
  quic: '853',
  grpc: '443',
  https: '443',
};

/** `tls://1.1.1.1` into `tls` and `1.1.1.1`. */
export function transportOf(text: string): { readonly transport: string; readonly rest: string } {
  const [prefix = '', transport = 'dns'] = transports.exec(text) ?? [];
  return { transport, rest: text.slice(prefix.length) };
}

export function defaultPort(transport: string): string | undefined {
  return defaultPorts[transport];
}

/** Small and capital letters are kept apart, as CoreDNS does for the keys of blocks. */
export function zonesOf(text: string): Zones {
  const { transport, rest } = transportOf(text);
  const colon = rest.lastIndexOf(':');
  if (colon === rest.length - 1) return invalid(`expecting data after last colon: "${rest}"`);
  const number = colon === -1 ? undefined : /^[+-]?\d+$/.exec(rest.slice(colon + 1))?.[0];
  const host = number === undefined ? rest : rest.slice(0, colon);
  const length = Math.max(bytes(host), host === '' ? 0 : bytes(fqdn(host)));
  if (length > 255) return invalid(`specified zone is too long: ${length} > 255`);
  if (!isDomainName(host)) return invalid(`zone is not a valid domain name: ${host}`);
  const reverse = reverseZones(host);
  if (reverse !== undefined && /^(:|0.*:)/.test(host)) return invalid(`invalid CIDR ${host}`);
  const names = reverse ?? [fqdn(host)];
  return { kind: 'zones', names, transport, port: number === undefined ? undefined : `${Number(number)}` };
}

/** As plugins take it: in small letters. Undefined where it is no name. */
export function namesOf(text: string): readonly string[] | undefined {
  const zones = zonesOf(text);
  return zones.kind === 'invalid' ? undefined : zones.names.map((name) => name.toLowerCase());
}

export function isReverse(zone: string): boolean {
  return /(^|\.)(in-addr|ip6)\.arpa\.$/.test(zone);
}

/** Whether a name with a dot at its end is a zone, or below it. */
export function isWithin(name: string, zone: string): boolean {
  return zone === '.' || name === zone || name.endsWith(`.${zone}`);
}

function invalid(reason: string): Zones {
  return { kind: 'invalid', reason };
}

function fqdn(name: string): string {
  return name.endsWith('.') ? name : `${name}.`;
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

function isDomainName(text: string): boolean {
  if (text === '' || text.endsWith('\\')) return false;
  if (text === '.') return true;
  const labels = fqdn(text.replaceAll(/\\(\d{3}|.)/gs, 'x'))
    .slice(0, -1)
    .split('.');
  const lengths = labels.map(bytes);
  return (
    lengths.every((length) => length > 0 && length < 64) &&
    lengths.reduce((sum, length) => sum + length + 1, 0) <= 256
  );
}

/** `10.0.0.0/8` is `10.in-addr.arpa.`; a mask between two labels stands for several zones. */
function reverseZones(text: string): readonly string[] | undefined {
  const [, address = '', mask = ''] = /^([^/]*)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const ones = Number(mask);
  if (mask === '') return undefined;
  if (isIpv4(address))
    return ones > 32 ? undefined : within(address.split('.').map(Number), ones, 8, 'in-addr.arpa.');
  const groups = ipv6Groups(address);
  if (groups === undefined || ones > 128) return undefined;
  const digits = groups.flatMap((group) =>
    [...group.toString(16).padStart(4, '0')].map((digit) => Number.parseInt(digit, 16)),
  );
  return within(digits, ones, 4, 'ip6.arpa.');
}

function within(parts: readonly number[], ones: number, width: number, top: string): readonly string[] {
  const full = Math.floor(ones / width);
  const free = (width - (ones % width)) % width;
  const kept = parts.slice(0, full);
  const base = free === 0 ? undefined : ((parts[full] ?? 0) >> free) << free;
  const zones =
    base === undefined ? [kept] : Array.from({ length: 2 ** free }, (_, i) => [...kept, base + i]);
  return zones.map((zone) =>
    [...zone.map((part) => part.toString(width === 4 ? 16 : 10)).reverse(), top].join('.'),
  );
}
