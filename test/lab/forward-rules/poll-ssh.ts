/**
 * Run as a program: ADDRESS PORT. Opens a TCP connection every 50 ms until its input ends, and prints as
 * JSON how many it tried, how many of them failed, and how long the slowest took.
 */
import { connect } from 'node:net';

const [address = '', port = ''] = process.argv.slice(2);
const outcomes: Promise<number | undefined>[] = [];
console.log('polling');
const timer = setInterval(() => outcomes.push(tryOnce()), 50);
process.stdin.resume().on('end', async () => {
  clearInterval(timer);
  const took = await Promise.all(outcomes);
  const failed = took.filter((each) => each === undefined).length;
  const slowestMs = Math.max(...took.map((each) => each ?? 0));
  console.log(JSON.stringify({ tried: took.length, failed, slowestMs }));
});

/** How long it took; undefined when it was refused, or not answered in 5 s. */
function tryOnce(): Promise<number | undefined> {
  const begin = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: Number(port), timeout: 5000 });
    const end = (took: number | undefined) => {
      socket.destroy();
      resolve(took);
    };
    socket.on('connect', () => end(performance.now() - begin));
    socket.on('error', () => end(undefined));
    socket.on('timeout', () => end(undefined));
  });
}
