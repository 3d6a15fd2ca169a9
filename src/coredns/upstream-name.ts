import { isIp, isIpv4 } from './ip.ts';
import { environment } from './words.ts';
import { defaultPort, transportOf } from './zones.ts';

/** What stands behind the zone: an address, or a file of them like `/etc/resolv.conf`. */
export type UpstreamName =
  | {
      readonly kind: 'address';
      readonly address: string;
      readonly port: number;
      readonly protocol: 'dns' | 'tls';
      /** Of `tls://9.9.9.9%dns.quad9.net`. */
      readonly serverName?: string;
      /** As written. */
      readonly text: string;
    }
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  /** A name, a socket, gRPC, HTTPS: not understood, not asked. `why` for a person. */
  | { readonly kind: 'other'; readonly text: string; readonly why: string };

export interface ReadUpstream {
  readonly upstream: UpstreamName;
  /** CoreDNS 1.12 does not start with it; later releases take names and HTTPS. */
  readonly isRefused?: boolean;
}

export function readUpstream(text: string): ReadUpstream {
  const other = (why: string, isRefused: boolean): ReadUpstream => ({
    upstream: { kind: 'other', text, why },
    isRefused,
  });
  if (environment.test(text)) return other('it holds an environment variable of CoreDNS', false);
  const { transport, rest } = transportOf(text);
  if (rest === '') return other('an address is missing', true);
  const { host, port } = splitPort(rest) ?? { host: rest, port: undefined };
  const percent = host.lastIndexOf('%');
  const [address, zone] = percent < 0 ? [host, undefined] : [host.slice(0, percent), host.slice(percent + 1)];
  if (transport === 'unix') return other('CoreDNS forwards to no unix sockets', true);
  if (!isIp(address)) {
    if (rest.startsWith('/')) return { upstream: { kind: 'file', path: rest, text } };
    return other('it is no IP address and no file', !/^([^:]*\/|\.+$)/.test(rest));
  }
  if (transport !== 'dns' && transport !== 'tls')
    return other(`CoreDNS does not forward over ${transport}`, true);
  const number = port ?? defaultPort(transport) ?? '';
  if (!/^\d{1,5}$/.test(number) || Number(number) < 1 || Number(number) > 65535)
    return other('its port is no number from 1 to 65535', false);
  const known = { kind: 'address', port: Number(number), protocol: transport, text } as const;
  if (zone === undefined) return { upstream: { ...known, address } };
  if (transport === 'tls') return { upstream: { ...known, address, serverName: zone } };
  if (isIpv4(address)) return other('an IPv4 address has no zone', false);
  return { upstream: { ...known, address: host } };
}

/** As Go's net.SplitHostPort; undefined where that fails. */
function splitPort(text: string): { readonly host: string; readonly port: string } | undefined {
  const {
    host = '',
    plain = '',
    port = '',
  } = /^(?:\[(?<host>[^[\]]*)\]|(?<plain>[^:[\]]*)):(?<port>[^:[\]]*)$/.exec(text)?.groups ?? {};
  return /^(?:\[[^[\]]*\]|[^:[\]]*):[^:[\]]*$/.test(text) ? { host: host || plain, port } : undefined;
}
