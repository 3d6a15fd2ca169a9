/**
 * Run as a program in a pod: answers every HTTP request and every datagram with the pod's name, on
 * IPv4 and IPv6, and prints `serving` when all its ports are open.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { z } from 'zod';

const ports = z.array(z.number());
const pod = z.object({ name: z.string(), tcp: ports, udp: ports }).parse(JSON.parse(process.argv[2] ?? ''));

for (const port of pod.tcp) {
  const server = createServer((_request, response) => {
    response.setHeader('connection', 'close');
    response.end(pod.name);
  });
  await once(server.listen(port, '::'), 'listening');
}
for (const port of pod.udp) {
  const socket = createSocket('udp6');
  socket.on('message', (_message, sender) => socket.send(pod.name, sender.port, sender.address));
  socket.bind(port, '::');
  await once(socket, 'listening');
}
console.log('serving');
