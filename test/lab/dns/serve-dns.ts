/**
 * Run as a program: ADDRESS=BEHAVIOUR... A DNS server at port 53 of each address, over UDP and TCP, that
 * answers A questions with 203.0.113.53 and misbehaves as said. Prints `serving` when all of them do.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type DecodedPacket, decode, encode, type Packet, streamEncode } from 'dns-packet';
import type { Behaviour } from './behaviour.ts';

for (const argument of process.argv.slice(2)) {
  const [address = '', behaviour = ''] = argument.split('=');
  await serve(address, behaviour as Behaviour);
}
console.log('serving');

async function serve(address: string, behaviour: Behaviour): Promise<void> {
  const respond = async (query: Buffer, protocol: 'udp' | 'tcp'): Promise<Packet | undefined> => {
    if (behaviour === 'silent') return undefined;
    if (behaviour === 'slow') await delay(1200);
    return answer(decode(query), behaviour, protocol);
  };
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', async (query, sender) => {
    const response = await respond(query, 'udp');
    if (response !== undefined) socket.send(encode(response), sender.port, sender.address);
  });
  socket.bind(53, address);
  await once(socket, 'listening');
  if (behaviour === 'udp-only') return;

  const server = createServer((connection) => {
    let received = Buffer.alloc(0);
    connection.on('error', () => connection.destroy());
    connection.on('data', async (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const response = await respond(received.subarray(2, 2 + received.readUInt16BE(0)), 'tcp');
      received = Buffer.alloc(0);
      if (response !== undefined) connection.end(streamEncode(response));
    });
  });
  await once(server.listen(53, address), 'listening');
}

function answer(query: DecodedPacket, behaviour: Behaviour, protocol: 'udp' | 'tcp'): Packet {
  const { id = 0, questions = [], flags = 0 } = query;
  const [question] = questions;
  const recursion = flags & 0x100;
  const reply: Packet = { type: 'response', id, flags: recursion | 0x80, questions };
  if (behaviour === 'wrong-id') return { ...reply, id: id ^ 0x5555 };
  if (behaviour === 'wrong-name') return { ...reply, questions: [{ type: 'A', name: 'elsewhere.invalid' }] };
  if (behaviour === 'servfail') return { ...reply, flags: recursion | 0x80 | 2 };
  if (behaviour === 'refused') return { ...reply, flags: recursion | 0x80 | 5 };
  if (behaviour === 'nxdomain') return { ...reply, flags: recursion | 0x80 | 3 };
  if (behaviour === 'truncates' && protocol === 'udp') return { ...reply, flags: recursion | 0x280 };
  if (question?.type !== 'A') return reply;
  return { ...reply, answers: [{ type: 'A', name: question.name, ttl: 5, data: '203.0.113.53' }] };
}
