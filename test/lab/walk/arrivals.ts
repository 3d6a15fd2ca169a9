import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { wires } from './world.ts';

/** How many frames have come in over the wires of the network namespace that this process is in. */
export async function countArrivals(): Promise<number> {
  const lines = (await readFile('/proc/net/dev', 'utf8')).split('\n');
  return lines.reduce((sum, line) => {
    const [, link = '', packets = ''] = /^\s*(\S+):\s*\d+\s+(\d+)/.exec(line) ?? [];
    return link in wires ? sum + Number(packets) : sum;
  }, 0);
}

/** Waits until so many have. @throws Error when they do not come. */
export async function arrived(count: number): Promise<void> {
  const deadline = performance.now() + 5_000;
  while ((await countArrivals()) < count) {
    if (performance.now() > deadline) throw new Error('frames are lost on their way to the node');
    await delay(1);
  }
}
