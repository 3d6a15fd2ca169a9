/** Run as a program: ADDRESS PORT HEX... Sends each as a datagram, and ends. */
import { createSocket } from 'node:dgram';

const [address = '', port = '', ...payloads] = process.argv.slice(2);
const socket = createSocket('udp4');
for (const hex of payloads) {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.send(Buffer.from(hex, 'hex'), Number(port), address, () => resolve());
  await promise;
}
socket.close();
