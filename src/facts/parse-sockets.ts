import type { ListeningSocket } from './listening-socket.ts';

interface Table extends Pick<ListeningSocket, 'protocol' | 'family'> {
  readonly bigEndian: boolean;
}

/**
 * Reads /proc/net/{tcp,udp}{,6}: addresses are printed word by word, each in the processor's byte order,
 * ports as numbers. A TCP socket that listens is in state 0A; a UDP socket that nobody connected is in 07.
 */
export function parseSockets(text: string, { protocol, family, bigEndian }: Table): ListeningSocket[] {
  const state = protocol === 'tcp' ? '0A' : '07';
  const found = new Map<string, ListeningSocket>();
  for (const [, address = '', port = ''] of text.matchAll(patterns[state])) {
    // Of a socket for each processor one is enough.
    found.set(`${address}:${port}`, {
      protocol,
      family,
      address: readAddress(address, bigEndian),
      port: Number.parseInt(port, 16),
    });
  }
  return [...found.values()];
}

const patterns = {
  '0A': /^ *\d+: ((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A /gm,
  '07': /^ *\d+: ((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 07 /gm,
} as const;

/** Something always listens at 127.0.0.1 or another 127.0.0.x, on a node as on any other machine. */
export function usesBigEndian(text: string): boolean {
  return /: 7F0000[0-9A-F]{2}:/.test(text) && !/: [0-9A-F]{2}00007F:/.test(text);
}

/** Of /proc/net, as a person writes it. */
export function readAddress(hex: string, bigEndian: boolean): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => {
    const pairs = word.match(/../g) ?? [];
    return bigEndian ? pairs : pairs.toReversed();
  });
  const ipv4 = bytes.slice(-4).map((byte) => Number.parseInt(byte, 16));
  if (bytes.length === 4) return ipv4.join('.');
  if (/^0{20}ffff/i.test(bytes.join(''))) return `::ffff:${ipv4.join('.')}`;
  const groups = bytes.flatMap((byte, i) => (i % 2 === 0 ? [`${byte}${bytes[i + 1] ?? ''}`] : []));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
