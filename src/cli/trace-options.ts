import { type Family, families } from '../netfilter/ruleset.ts';
import { parseAddress, printAddress } from '../netfilter/walk/addresses.ts';
import type { ConnectionState, Transport } from '../netfilter/walk/packet.ts';
import { numberIn, usage } from './read-number.ts';
import { readTransport, type TransportOptions } from './trace-transport.ts';

/** As they are typed. */
export interface TraceOptions extends TransportOptions {
  readonly from: string;
  readonly to: string;
  readonly in?: string;
  readonly out?: string;
  readonly state: string;
  readonly mark?: string;
  readonly uid?: string;
  readonly bundle?: string;
  readonly record?: string;
  readonly format: 'text' | 'json';
  readonly config?: string;
  readonly kubeconfig?: string;
  readonly color: boolean;
  readonly verbose?: true;
}

/** What is asked, as far as that can be told without looking at the node. */
export interface TraceRequest {
  readonly family: Family;
  /** Undefined: this node itself, whatever address it takes (`--from local`). */
  readonly source: string | undefined;
  readonly destination: string;
  readonly transport: Transport;
  readonly state: ConnectionState;
  readonly mark: number | undefined;
  readonly inLink: string | undefined;
  readonly outLink: string | undefined;
  readonly uid: number | undefined;
  /** What was supposed because it was not said, a line each. */
  readonly notices: readonly string[];
}

/** @throws DoctorError `usage`, which names the option and what was expected. */
export function parseTraceOptions(options: TraceOptions): TraceRequest {
  const { family, address: destination } = readAddress('--to', options.to);
  const source = options.from === 'local' ? undefined : readAddress('--from', options.from);
  if (source && source.family !== family) {
    throw usage(
      `--from ${options.from} is ${title[source.family]} and --to ${options.to} is ${title[family]}`,
      'give two addresses of the same family',
    );
  }
  const mark = options.mark === undefined ? undefined : numberIn('--mark', options.mark, 0xffff_ffff);
  const uid = options.uid === undefined ? undefined : numberIn('--uid', options.uid, 0xffff_fffe);
  if (options.bundle !== undefined && options.record !== undefined) {
    throw usage('--bundle cannot go with --record', 'a recording is made of a live node');
  }
  const { transport, notices } = readTransport(options, family);
  return {
    family,
    source: source?.address,
    destination,
    transport,
    state: readState(options.state),
    mark,
    inLink: readLink('--in', options.in),
    outLink: readLink('--out', options.out),
    uid,
    notices,
  };
}

const title = { ipv4: 'IPv4', ipv6: 'IPv6' } as const;

function readAddress(option: string, text: string): { family: Family; address: string } {
  const found = canonicalAddress(text);
  if (found !== undefined) return found;
  const expected = `${option}: expected an IPv4 or IPv6 address${option === '--from' ? ' or "local"' : ''}, not "${text}"`;
  const [, host, port] = /^\[?([0-9a-fA-F.:]+?)\]?:(\d+)$/.exec(text) ?? [];
  if (host !== undefined && port !== undefined && canonicalAddress(host) !== undefined) {
    throw usage(expected, `the port goes into ${option === '--to' ? '--dport' : '--sport'} ${port}`);
  }
  if (text.includes('/')) throw usage(expected, 'one address, not a range');
  if (text.includes('%')) throw usage(expected, 'the link goes into --in or --out');
  if (/[g-z]/i.test(text)) throw usage(expected, 'names are not looked up');
  throw usage(expected);
}

/** Octets with a leading zero are octal to some and decimal to others. */
function canonicalAddress(text: string): { family: Family; address: string } | undefined {
  for (const family of families) {
    const bytes = parseAddress(text, family);
    const address = bytes && printAddress(bytes);
    if (address !== undefined && (family === 'ipv6' || address === text)) return { family, address };
  }
  return undefined;
}

const states = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED'] as const;

function readState(text: string): ConnectionState {
  const state = states.find((known) => known === text.toUpperCase());
  if (state) return state;
  throw usage(`--state: expected ${states.join(', ').toLowerCase()}, not "${text}"`);
}

/** Any name that the kernel takes; whether there is such a link is another question. */
function readLink(option: string, name: string | undefined): string | undefined {
  if (name === undefined || /^[^\s/]{1,15}$/.test(name)) return name;
  throw usage(`${option}: expected the name of a link, such as eth0, not "${name}"`);
}
