import { Resolver } from 'node:dns/promises';
import type { ResolveResult } from './host.ts';
import { systemErrorCode } from './system-error.ts';

export interface Resolution {
  /** IP address, with `:PORT` behind it unless that is 53 (`[ADDRESS]:PORT` for IPv6). */
  readonly server: string;
  readonly name: string;
  readonly timeoutMs: number;
}

/** Asks one DNS server, once, for the A records of a name. No search list, no cache, no hosts file. */
export async function resolveName({ server, name, timeoutMs }: Resolution): Promise<ResolveResult> {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  // Besides the resolver's own timer: an answer cut short makes it ask again over TCP.
  const deadline = setTimeout(() => resolver.cancel(), timeoutMs);
  try {
    resolver.setServers([server]);
    return { kind: 'answered', addresses: await resolver.resolve4(name) };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return { kind: 'no-answer', reason: describe(code, { server, name, timeoutMs }) };
  } finally {
    clearTimeout(deadline);
    resolver.cancel();
  }
}

function describe(code: string, { server, name, timeoutMs }: Resolution): string {
  switch (code) {
    case 'ETIMEOUT':
    case 'ECANCELLED':
      return `${server} did not answer in ${timeoutMs / 1000} s`;
    case 'ECONNREFUSED':
      return `nobody answers on ${server}`;
    case 'ENOTFOUND':
      return `${server} says that there is no name ${name}`;
    case 'ENODATA':
      return `${server} knows no IPv4 address of ${name}`;
    case 'EREFUSED':
      return `${server} refuses to answer`;
    case 'ESERVFAIL':
      return `${server} says that it failed`;
    case 'ERR_INVALID_IP_ADDRESS':
      return `${server} is no IP address`;
    default:
      return `${server}: ${code}`;
  }
}
