/**
 * Run as a program in a network namespace of its own: starts CoreDNS with one Corefile after the other, asks each
 * for some names, and prints whether it started and which of the servers 127.0.1.N:5300 it asked in turn. These
 * know no name. Reads and prints JSON: `Asked`, `Told[]`.
 */
import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { decode, encode } from 'dns-packet';

export interface Asked {
  readonly coredns: string;
  readonly corefiles: readonly {
    readonly corefile: string;
    /** By their name in /etc/coredns. */
    readonly files: Readonly<Record<string, string>>;
    readonly names: readonly string[];
  }[];
}

export interface Told {
  readonly starts: boolean;
  /** For each name. */
  readonly servers: readonly (readonly string[])[];
}

const serverCount = 60;
let seen: string[] = [];

const { coredns, corefiles } = JSON.parse(await text(process.stdin)) as Asked;
for (let i = 1; i <= serverCount; i++) await serve(`127.0.1.${i}`);
const client = await bind('127.0.0.1', 0);
const told: Told[] = [];
for (const each of corefiles) told.push(await tell(each));
process.stdout.write(JSON.stringify(told), () => process.exit());

async function tell({ corefile, files, names }: Asked['corefiles'][number]): Promise<Told> {
  const folder = await mkdtemp(join(tmpdir(), 'corefile-'));
  // As a ConfigMap is mounted.
  await mkdir(join(folder, 'custom/..data'), { recursive: true });
  await mkdir(join(folder, '..data'));
  for (const [name, content] of Object.entries({ NodeHosts: '', ...files, Corefile: corefile })) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content.replaceAll('/etc/coredns', folder));
  }
  const running = spawn(coredns, ['-conf', join(folder, 'Corefile')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(running, 'exit');
  let printed = '';
  const starts = await new Promise<boolean>((resolve) => {
    running.stdout.on('data', (chunk) => {
      printed += String(chunk);
      if (printed.includes('CoreDNS-1.')) resolve(true);
    });
    running.once('exit', () => resolve(false));
  });
  const servers: string[][] = [];
  for (const name of starts ? names : []) servers.push(await ask(name));
  running.kill('SIGKILL');
  await ended;
  await rm(folder, { recursive: true });
  return { starts, servers };
}

async function ask(name: string): Promise<string[]> {
  seen = [];
  const answered = once(client, 'message', { signal: AbortSignal.timeout(5_000) });
  client.send(
    encode({ type: 'query', id: 1, flags: 0x100, questions: [{ type: 'A', name }] }),
    53,
    '127.0.0.1',
  );
  await answered;
  return seen;
}

async function serve(address: string): Promise<void> {
  const socket = await bind(address, 5300);
  socket.on('message', (query, sender) => {
    seen.push(address);
    const { id = 0, questions = [] } = decode(query);
    const nameError = 0x80 | 3;
    socket.send(encode({ type: 'response', id, flags: nameError, questions }), sender.port, sender.address);
  });
}

async function bind(address: string, port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, address);
  await once(socket, 'listening');
  return socket;
}
