/**
 * Run as a program in a pod: NAME TCP_PORTS UDP_PORTS (with commas). Answers every HTTP request and
 * every datagram with the pod's name, on IPv4 and IPv6. Prints `serving` when all its ports are open.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { flushCompileCache } from 'node:module';

const [name = '', tcpPorts = '', udpPorts = ''] = process.argv.slice(2);

for (const port of toNumbers(tcpPorts)) {
  const server = createServer((_request, response) => {
    response.setHeader('connection', 'close');
    response.end(name);
  });
  await once(server.listen(port, '::'), 'listening');
}
for (const port of toNumbers(udpPorts)) {
  const socket = createSocket('udp6');
  socket.on('message', (_message, sender) => socket.send(name, sender.port, sender.address));
  socket.bind(port, '::');
  await once(socket, 'listening');
}
console.log('serving');
flushCompileCache(); // by default that is done at the end, which for this program is a SIGKILL
setInterval(() => {}, 2 ** 30); // a pod without ports lives on, too

function toNumbers(list: string): readonly number[] {
  return list === '' ? [] : list.split(',').map(Number);
}
