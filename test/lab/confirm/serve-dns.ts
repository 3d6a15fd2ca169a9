/**
 * Run as a program in a pod: a DNS server at port 53 that answers every question of one name with
 * 10.43.0.1, on IPv4. Prints `serving` when it does.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const socket = createSocket('udp4');
socket.on('message', (query, { port, address }) => socket.send(answer(query), port, address));
socket.bind(53);
await once(socket, 'listening');
console.log('serving');

/** The question as it came, up to its name's end and 4 bytes of type and class, and one A record. */
function answer(query: Buffer): Buffer {
  const question = query.subarray(12, query.indexOf(0, 12) + 5);
  const header = Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 43, 0, 1]);
  return Buffer.concat([header, question, record]);
}
