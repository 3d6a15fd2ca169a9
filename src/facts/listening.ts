import type { Fact, FactContext } from '../engine/fact.ts';
import type { FileResult } from '../host/host.ts';
import type { ListeningSocket } from './listening-socket.ts';
import { parseSockets, usesBigEndian } from './parse-sockets.ts';

/** What is open on this node for others to connect to or send to, by the kernel's own tables. */
export type Listening =
  | { readonly kind: 'known'; readonly sockets: readonly ListeningSocket[] }
  | { readonly kind: 'unavailable'; readonly reason: string };

export const listeningFact: Fact<Listening> = {
  id: 'listening',
  async gather(context) {
    const [tcp, udp, tcp6, udp6] = await Promise.all([
      read(context, 'tcp'),
      read(context, 'udp'),
      read(context, 'tcp6'),
      read(context, 'udp6'),
    ]);
    const files = [tcp, udp, tcp6, udp6];
    const unreadable = files.find(({ file }) => file.kind === 'unreadable');
    if (unreadable?.file.kind === 'unreadable') {
      return { kind: 'unavailable', reason: `${unreadable.path} cannot be read: ${unreadable.file.reason}` };
    }
    // A kernel without IPv6 lacks the other two.
    const absent = [tcp, udp].find(({ file }) => file.kind === 'absent');
    if (absent) return { kind: 'unavailable', reason: `there is no ${absent.path}` };
    const bigEndian = usesBigEndian(files.map(textOf).join('\n'));
    return {
      kind: 'known',
      sockets: [
        ...parseSockets(textOf(tcp), { protocol: 'tcp', family: 'ipv4', bigEndian }),
        ...parseSockets(textOf(udp), { protocol: 'udp', family: 'ipv4', bigEndian }),
        ...parseSockets(textOf(tcp6), { protocol: 'tcp', family: 'ipv6', bigEndian }),
        ...parseSockets(textOf(udp6), { protocol: 'udp', family: 'ipv6', bigEndian }),
      ],
    };
  },
};

interface ReadFile {
  readonly path: string;
  readonly file: FileResult;
}

async function read({ host }: FactContext, name: string): Promise<ReadFile> {
  const path = `/proc/net/${name}`;
  return { path, file: await host.readFile(path) };
}

function textOf({ file }: ReadFile): string {
  return file.kind === 'read' ? file.text : '';
}
