import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import packet, { type Answer, type Packet } from 'dns-packet';
import { onTestFinished } from 'vitest';
import type { Certified } from '../lab/api-server/certificates.ts';

type DnsSocket = ReturnType<typeof createSocket>;

/** A DNS server on loopback, as long as the test lives; what `reply` gives is sent back one after the other. */
export async function udpServer(reply: (question: Buffer) => readonly Buffer[], address = '127.0.0.1') {
  const socket: DnsSocket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  onTestFinished(() => void socket.close());
  const asked: { readonly id: number; readonly port: number }[] = [];
  socket.on('message', (question, { address: from, port }) => {
    asked.push({ id: question.readUInt16BE(0), port });
    for (const bytes of reply(question)) socket.send(bytes, port, from);
  });
  socket.bind(0, address);
  await once(socket, 'listening');
  return { server: address, port: socket.address().port, asked };
}

/** The same over a stream; `serve` gets the connection and each whole question, without its length. */
export async function tcpServer(
  serve: (socket: Socket, question: Buffer) => void,
  certified?: Certified,
): Promise<{ readonly server: string; readonly port: number; readonly open: () => number }> {
  let open = 0;
  const onSocket = (socket: Socket) => {
    open += 1;
    socket.on('error', () => undefined);
    socket.once('close', () => {
      open -= 1;
    });
    socket.on('data', (data) => serve(socket, Buffer.from(data).subarray(2)));
  };
  const server: Server =
    certified === undefined
      ? createServer(onSocket)
      : createTlsServer({ cert: certified.certificate, key: certified.key }, onSocket);
  server.on('tlsClientError', () => undefined);
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return { server: '127.0.0.1', port: bound.port, open: () => open };
}

/** An answer to a question, and `changes` in it. */
export function answer(
  question: Buffer,
  answers: readonly Answer[] = [],
  changes: Partial<Packet> & { readonly rcode?: number } = {},
): Buffer {
  const { id, questions = [] } = packet.decode(question);
  const flags = packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE | (changes.rcode ?? 0);
  return packet.encode({
    type: 'response',
    ...(id !== undefined && { id }),
    questions,
    answers: [...answers],
    ...changes,
    flags: flags | (changes.flags ?? 0),
  });
}

export function addressRecord(name: string, data: string): Answer {
  return { type: 'A', name, ttl: 5, data };
}

/** As it goes over a stream. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
