/**
 * Run as a program: ADDRESS PORT. Opens a TCP connection each 50 ms, and prints `polling` when the first
 * was accepted. At the end of its input it prints how many it tried, and what became of those that failed.
 */
import { connect } from 'node:net';

const [address = '', port = ''] = process.argv.slice(2);
const failed: string[] = [];
const open: Promise<void>[] = [];

const timer = setInterval(() => open.push(tryOnce()), 50);
await tryOnce();
console.log('polling');
process.stdin.resume().on('end', async () => {
  clearInterval(timer);
  await Promise.all(open);
  process.stdout.write(`${JSON.stringify({ tried: open.length, failed })}\n`, () => process.exit(0));
});

function tryOnce(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect({ host: address, port: Number(port), timeout: 1_000 });
  const end = (why?: string) => {
    if (why !== undefined) failed.push(why);
    socket.destroy();
    resolve();
  };
  socket.on('connect', () => end());
  socket.on('timeout', () => end('timeout'));
  socket.on('error', ({ message }) => end(message));
  return promise;
}
