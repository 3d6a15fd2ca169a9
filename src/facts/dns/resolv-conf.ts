import type { FileResult, Host } from '../../host/host.ts';
import { parseAddress } from '../../netfilter/walk/addresses.ts';

/** A file like /etc/resolv.conf. */
export type ResolvConf =
  | {
      readonly kind: 'read';
      readonly path: string;
      /** As written, in their order; of glibc's three no notice is taken. */
      readonly nameservers: readonly string[];
      /** The first nameserver that k3s does not take: loopback, link-local, with a zone, no address. */
      readonly unfit: string | undefined;
    }
  | { readonly kind: 'absent'; readonly path: string }
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string };

/** Of the host, or by /proc/PID/root of what runs in a pod. */
export async function readResolvConf(host: Host, path: string): Promise<ResolvConf> {
  return parseResolvConf(path, await host.readFile(path));
}

export function parseResolvConf(path: string, file: FileResult): ResolvConf {
  if (file.kind === 'absent') return { kind: 'absent', path };
  if (file.kind === 'unreadable') return { kind: 'unreadable', path, reason: file.reason };
  const named = (pattern: RegExp) => [...file.text.matchAll(pattern)].map(([, server = '']) => server);
  return {
    kind: 'read',
    path,
    nameservers: named(/^[ \t]*nameserver[ \t]+(\S+)/gm),
    // k3s sees none that is indented, and one without an address is no address to it.
    unfit: named(/^nameserver[ \t]+(\S*)/gm).find((server) => !isFitForPods(server)),
  };
}

/** k3s gives such a file to pods: it names servers, and each of them can be meant from inside a pod. */
export function isFitFile(conf: ResolvConf): boolean {
  return conf.kind === 'read' && conf.nameservers.length > 0 && conf.unfit === undefined;
}

/** What Go calls a global unicast address; private ones are. A zone makes it none. */
export function isFitForPods(text: string): boolean {
  const address = bytesOf(text);
  if (address === undefined) return false;
  const [first = 0, second = 0] = address;
  if (address.length === 4) {
    const isNone = address.every((byte) => byte === 0) || address.every((byte) => byte === 255);
    const isMulticast = first >= 224 && first < 240;
    return !isNone && !isMulticast && first !== 127 && !(first === 169 && second === 254);
  }
  const isZeroOrOne = address.every((byte, at) => byte === 0 || (at === 15 && byte === 1));
  return !isZeroOrOne && first !== 255 && !(first === 254 && (second & 0xc0) === 0x80);
}

/** An address that can be asked from this host, be it its own; a link-local one may have a zone. */
export function isServerAddress(text: string): boolean {
  return bytesOf(text.replace(/^(fe80:[^%]*)%[\w.-]+$/i, '$1')) !== undefined;
}

export function isLoopback(text: string): boolean {
  const address = bytesOf(text);
  if (address?.length === 4) return address[0] === 127;
  return address?.every((byte, at) => byte === (at === 15 ? 1 : 0)) ?? false;
}

/** An IPv4 address in the clothes of IPv6 is that IPv4 address. */
function bytesOf(text: string): Uint8Array | undefined {
  if (!text.includes(':')) return /(^|\.)0\d/.test(text) ? undefined : parseAddress(text, 'ipv4');
  const address = parseAddress(text, 'ipv6');
  const isMapped = address?.every((byte, at) => at > 11 || byte === (at < 10 ? 0 : 255));
  return isMapped ? address?.slice(12) : address;
}
