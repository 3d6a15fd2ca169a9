/** One packet, or one connection, to a DNS server. What comes of it is told; nothing is kept open after `close`. */
import { createSocket } from 'node:dgram';
import { connect as connectTcp, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { DnsQuestion } from './host.ts';

export interface Listener {
  /** A message, without the length that goes before it on a stream. */
  message(bytes: Buffer): void;
  failed(error: Error): void;
  /** The server ended the connection, and will say no more. */
  ended(): void;
}

/** Sends `query`; returns how to end it, after which nothing more is told. */
export function openExchange(question: DnsQuestion, query: Buffer, listener: Listener): () => void {
  return question.protocol === 'udp'
    ? sendPacket(question, query, listener)
    : openConnection(question, query, listener);
}

/** The socket is connected: only then errors (ICMP) are heard of, and nobody else's packets are. */
function sendPacket({ server, port = 53 }: DnsQuestion, query: Buffer, listener: Listener): () => void {
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
  let isOpen = true;
  socket.on('error', (error) => {
    if (isOpen) listener.failed(error);
  });
  socket.on('message', (bytes) => listener.message(bytes));
  socket.once('connect', () => {
    socket.send(query, (error) => {
      if (error !== null && isOpen) listener.failed(error);
    });
  });
  socket.connect(port, server);
  return () => {
    if (!isOpen) return;
    isOpen = false;
    socket.removeAllListeners('message');
    socket.close();
  };
}

function openConnection(question: DnsQuestion, query: Buffer, listener: Listener): () => void {
  const frame = Buffer.alloc(2 + query.length);
  frame.writeUInt16BE(query.length);
  query.copy(frame, 2);
  const messages = messageSplitter();
  let isOpen = true;
  const socket = connect(question, () => socket.write(frame));
  socket.on('error', (error) => {
    if (isOpen) listener.failed(error);
  });
  socket.on('data', (chunk: Buffer) => {
    for (const message of messages(chunk)) if (isOpen) listener.message(message);
  });
  socket.on('close', () => {
    if (isOpen) listener.ended();
  });
  return () => {
    isOpen = false;
    socket.destroy();
  };
}

function connect({ server, port, protocol, serverName }: DnsQuestion, onConnected: () => void): Socket {
  if (protocol === 'tls') {
    // Without a name the certificate has to be for the address.
    const name = serverName === undefined ? {} : { servername: serverName };
    return connectTls({ host: server, port: port ?? 853, ...name }, onConnected);
  }
  return connectTcp({ host: server, port: port ?? 53 }, onConnected);
}

/** Takes a stream apart: each message has its length before it. Holds at most one that is not whole yet. */
function messageSplitter(): (chunk: Buffer) => readonly Buffer[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const messages: Buffer[] = [];
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2) {
      const length = rest.readUInt16BE(0);
      if (rest.length < 2 + length) break;
      messages.push(rest.subarray(2, 2 + length));
      rest = rest.subarray(2 + length);
    }
    return messages;
  };
}
