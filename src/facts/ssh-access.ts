import type { Fact, FactContext } from '../engine/fact.ts';
import type { Host } from '../host/host.ts';
import type { Family } from '../netfilter/ruleset.ts';
import { listeningFact } from './listening.ts';
import { isLoopbackOnly } from './listening-socket.ts';
import { readAddress, usesBigEndian } from './parse-sockets.ts';

/** How people log in to this node. */
export interface SshAccess {
  /** At which an SSH server listens for others, the first of its configuration first. */
  readonly ports: readonly number[];
  /** Where one would be looked for. */
  readonly configured: readonly number[];
  /** Those that are open now. */
  readonly sessions: readonly SshSession[];
}

export interface SshSession {
  readonly family: Family;
  /** This node's side of it. */
  readonly address: string;
  readonly port: number;
  readonly peer: string;
  readonly peerPort: number;
}

export const sshAccessFact: Fact<SshAccess> = {
  id: 'ssh-access',
  async gather(context) {
    const [configured, listening] = await Promise.all([
      configuredPorts(context.host),
      context.get(listeningFact),
    ]);
    const open =
      listening.kind === 'known'
        ? new Set(
            listening.sockets
              .filter((socket) => socket.protocol === 'tcp' && !isLoopbackOnly(socket))
              .map(({ port }) => port),
          )
        : undefined;
    // What cannot be looked at is taken to be there.
    const ports = configured.filter((port) => open === undefined || open.has(port));
    return { ports, configured, sessions: await readSessions(context, new Set(ports)) };
  },
};

const sshdConfig = '/etc/ssh/sshd_config';
/** Where systemd listens in its place. */
const socketUnit = '/etc/systemd/system/ssh.socket';

/** Without any `Port` it is 22, besides those that a `ListenAddress` or systemd's socket brings. */
async function configuredPorts(host: Host): Promise<readonly number[]> {
  const [config, sockets] = await Promise.all([
    readAll(host, [sshdConfig, ...(await confFiles(host, `${sshdConfig}.d`))]),
    readAll(host, [socketUnit, ...(await confFiles(host, `${socketUnit}.d`))]),
  ]);
  const ports = numbersIn(config, /^[ \t]*Port[ \t=]+"?(\d+)/gim);
  const withAddress = numbersIn(config, /^[ \t]*ListenAddress[ \t=]+(?:\[\S+\]|[^\s:[\]]+):(\d+)/gim);
  const streams = numbersIn(sockets, /^[ \t]*ListenStream[ \t]*=(?:\S*:)?(\d+)[ \t]*$/gm);
  return [...new Set([...(ports.length > 0 ? ports : [22]), ...withAddress, ...streams])];
}

async function confFiles(host: Host, folder: string): Promise<readonly string[]> {
  const names = ((await host.listDirectory(folder)) ?? []).map(({ name }) => name);
  return names
    .filter((name) => name.endsWith('.conf'))
    .sort()
    .map((name) => `${folder}/${name}`);
}

async function readAll(host: Host, paths: readonly string[]): Promise<string> {
  const files = await Promise.all(paths.map((path) => host.readFile(path)));
  return files.map((file) => (file.kind === 'read' ? file.text : '')).join('\n');
}

function numbersIn(text: string, pattern: RegExp): readonly number[] {
  return [...text.matchAll(pattern)].map(([, number]) => Number(number));
}

/** State 01 is ESTABLISHED. An IPv4 peer of a socket for both families has a mapped address. */
async function readSessions(
  { host }: FactContext,
  ports: ReadonlySet<number>,
): Promise<readonly SshSession[]> {
  const text = await readAll(host, ['/proc/net/tcp', '/proc/net/tcp6']);
  const bigEndian = usesBigEndian(text);
  const address = (hex = '') => readAddress(hex, bigEndian).replace(/^::ffff:(?=[\d.]+$)/, '');
  const sockets = text.matchAll(
    /^ *\d+: ((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4}) ((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4}) 01 /gm,
  );
  return [...sockets].flatMap(([, own, port = '', peer, peerPort = '']): SshSession[] => {
    if (!ports.has(Number.parseInt(port, 16))) return [];
    const session = { address: address(own), peer: address(peer) };
    const family = session.peer.includes(':') ? 'ipv6' : 'ipv4';
    return [{ family, ...session, port: Number.parseInt(port, 16), peerPort: Number.parseInt(peerPort, 16) }];
  });
}
