/**
 * Run as a program: ADDRESS PORTS (with commas) TIMEOUT_MS. Opens a connection to every port at once
 * and prints as JSON the ports that accepted it. What was dropped is known only when the time is up.
 */
import { Socket } from 'node:net';

const [host = '', list = '', timeoutMs = ''] = process.argv.slice(2);

const tried = list.split(',').map(Number).map(connect);
process.stdout.write(JSON.stringify((await Promise.all(tried)).flat()));

function connect(port: number): Promise<readonly number[]> {
  const { promise, resolve } = Promise.withResolvers<readonly number[]>();
  const socket = new Socket();
  const end = (result: readonly number[]) => {
    clearTimeout(timer);
    socket.destroy();
    resolve(result);
  };
  const timer = setTimeout(() => end([]), Number(timeoutMs));
  socket.once('connect', () => end([port]));
  socket.on('error', () => end([]));
  socket.connect({ host, port });
  return promise;
}
