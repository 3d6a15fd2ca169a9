/**
 * Run as a program on a node: SOCKET ADDRESS:PORT... Leads connections to the API server, which is outside of the
 * node's network, by way of a socket in the file system. Prints `serving` when it does.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

const [path = '', ...listen] = process.argv.slice(2);

for (const each of listen) {
  const [address = '', port = ''] = each.split(':');
  const server = createServer((client) => join(client, connect(path)));
  await once(server.listen(Number(port), address), 'listening');
}
console.log('serving');

function join(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one);
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}
