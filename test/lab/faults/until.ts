import { setTimeout as delay } from 'node:timers/promises';
import type { Place } from '../node/create-place.ts';

/** Waits until a shell command on the node succeeds. @throws Error when it has not after 20 s. */
export async function until(node: Place, command: string): Promise<void> {
  for (let tries = 0; tries < 400; tries++, await delay(50)) {
    if ((await node.exec(['sh', '-c', command])).exitCode === 0) return;
  }
  throw new Error(`not so in time: ${command}`);
}
