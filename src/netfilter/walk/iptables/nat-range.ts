import type { Family } from '../../ruleset.ts';
import { parseAddress } from '../addresses.ts';

/** What a translation chooses from; undefined: it stays. */
export interface NatRange {
  readonly addresses: { readonly from: Uint8Array; readonly to: Uint8Array } | undefined;
  /** `base`: the port that is mapped to `from`, those above it in turn. */
  readonly ports:
    | { readonly from: number; readonly to: number; readonly base: number | undefined }
    | undefined;
}

/** `10.0.0.1`, `10.0.0.1-10.0.0.9:80`, `:8000-8010/80`, `[fd00::1]:80`, `fd00::1-fd00::9`. */
export function readNatRange(text: string, family: Family): NatRange | undefined {
  const { address, port } = family === 'ipv4' ? split4(text) : split6(text);
  const addresses = address === '' ? undefined : readAddresses(address, family);
  const ports = port === undefined ? undefined : readPorts(port);
  if ((address !== '' && !addresses) || (port !== undefined && !ports) || text === '') return undefined;
  return { addresses, ports };
}

interface Parts {
  readonly address: string;
  readonly port: string | undefined;
}

function split4(text: string): Parts {
  const [address = '', port] = text.split(':');
  return { address, port };
}

function split6(text: string): Parts {
  if (text.startsWith(':') && !text.startsWith('::')) return { address: '', port: text.slice(1) };
  const [, address, port] = /^\[([^\]]*)\](?::(.*))?$/.exec(text) ?? [];
  return address === undefined ? { address: text, port: undefined } : { address, port };
}

function readAddresses(text: string, family: Family): NatRange['addresses'] {
  const [first = '', last = first] = text.split('-');
  const from = parseAddress(first, family);
  const to = last === first ? from : parseAddress(last, family);
  return from && to && { from, to };
}

function readPorts(text: string): NatRange['ports'] {
  const [, from, to = from, base] = /^(\d+)(?:-(\d+))?(?:\/(\d+))?$/.exec(text) ?? [];
  if (from === undefined) return undefined;
  return { from: Number(from), to: Number(to), base: base === undefined ? undefined : Number(base) };
}
