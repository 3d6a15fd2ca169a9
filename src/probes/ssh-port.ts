import type { Host } from '../host/host.ts';

export type SshPort =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'none'; readonly reason: string };

/** The first port of sshd's configuration on which something listens for connections from outside. */
export async function findSshPort(host: Host): Promise<SshPort> {
  const [configured, listening] = await Promise.all([configuredPorts(host), listeningPorts(host)]);
  const port = configured.find((each) => listening.has(each));
  if (port !== undefined) return { kind: 'listening', port };
  return { kind: 'none', reason: `no SSH server listens on port ${configured.join(', ')}` };
}

const sshdConfig = '/etc/ssh/sshd_config';

/** Without any `Port` it is 22, besides those that a `ListenAddress` brings. */
async function configuredPorts(host: Host): Promise<readonly number[]> {
  const included = (await host.listDirectory(`${sshdConfig}.d`)) ?? [];
  const paths = included.map(({ name }) => name).filter((name) => name.endsWith('.conf'));
  const files = await Promise.all(
    [sshdConfig, ...paths.sort().map((name) => `${sshdConfig}.d/${name}`)].map((path) => host.readFile(path)),
  );
  const text = files.map((file) => (file.kind === 'read' ? file.text : '')).join('\n');
  const ports = numbersIn(text, /^[ \t]*Port[ \t=]+"?(\d+)/gim);
  const withAddress = numbersIn(text, /^[ \t]*ListenAddress[ \t=]+(?:\[\S+\]|[^\s:[\]]+):(\d+)/gim);
  return [...new Set([...(ports.length > 0 ? ports : [22]), ...withAddress])];
}

function numbersIn(text: string, pattern: RegExp): readonly number[] {
  return [...text.matchAll(pattern)].map(([, number]) => Number(number));
}

/** State 0A is LISTEN; addresses are printed word by word, each in the processor's byte order. */
async function listeningPorts(host: Host): Promise<ReadonlySet<number>> {
  const files = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => host.readFile(path)));
  const text = files.map((file) => (file.kind === 'read' ? file.text : '')).join('\n');
  const sockets = text.matchAll(/^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A /gm);
  return new Set(
    [...sockets]
      .filter(([, address = '']) => !loopback.test(address))
      .map(([, , port = '']) => Number.parseInt(port, 16)),
  );
}

/** 127.0.0.0/8, plain or mapped, and ::1; little and big endian. */
const loopback = /^(0{16}(FFFF0000|0000FFFF))?([0-9A-F]{6}7F|7F[0-9A-F]{6})$|^0{24}(01000000|00000001)$/;
