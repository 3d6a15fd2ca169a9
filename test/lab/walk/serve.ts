import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { nodeAddresses, ports } from './world.ts';

/** Lets the node answer on all the ports there are, so that connections to it can be established. */
export async function serveAll(): Promise<void> {
  const addresses = [...Object.values(nodeAddresses.ipv4), ...Object.values(nodeAddresses.ipv6)];
  const listening = ports.flatMap((port) => {
    const server = createServer((socket) => socket.on('error', () => {}).end());
    server.listen(port, '::').unref();
    const sockets = addresses.map((address) => {
      const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4').unref();
      socket.on('message', (message, { port: to, address: peer }) =>
        socket.send(message, to, peer, () => {}),
      );
      // A port that cannot be reached is news of no use.
      socket.on('error', () => {});
      socket.bind(port, address);
      return once(socket, 'listening');
    });
    return [once(server, 'listening'), ...sockets];
  });
  await Promise.all(listening);
}
