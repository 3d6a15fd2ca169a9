import { expect } from 'vitest';
import type { Backend } from '../node/ruleset-text.ts';
import { type BrokenNode, startBrokenNode } from './broken-node.ts';

/** Goes through a list on two nodes at a time; the results are in its order. */
export async function tryAll<T, R>(
  list: readonly T[],
  tryOne: (node: BrokenNode, item: T) => Promise<R>,
  ghosts: Backend = 'legacy',
): Promise<R[]> {
  const results = new Map<number, R>();
  const problems: string[] = [];
  const queue = [...list.entries()];
  const work = async () => {
    await using node = await startBrokenNode(ghosts);
    await node.configure();
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, item] = next;
      try {
        results.set(index, await tryOne(node, item));
      } catch (error) {
        // The others are tried all the same: what went wrong is seen best in comparison.
        problems.push(`${JSON.stringify(item)}: ${error instanceof Error ? error.message : error}`);
      }
    }
  };
  await Promise.all([work(), work()]);
  expect(problems).toEqual([]);
  return list.flatMap((_, index) => {
    const result = results.get(index);
    return result === undefined ? [] : [result];
  });
}
