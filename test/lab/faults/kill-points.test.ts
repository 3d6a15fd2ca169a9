/** SIGKILL at every point at which something is brought to disk. */
import { expect, it } from 'vitest';
import { type BrokenNode, startBrokenNode } from './broken-node.ts';
import { expectRepairable, expectSettles } from './expect-settled.ts';
import { type KillPoint, killAt } from './kill-at.ts';

it('a fix killed at any sync, rename or removal is settled: done or taken back as a whole', async () => {
  const seen = { before: 0, after: 0 };
  await atEachPoint(['fsync', 'rename', 'unlink'], async (node, point) => {
    await node.breakAgain();
    if (!(await killAt(node, ['fix', '--yes'], point))) return false;
    const state = await expectSettles(node);
    seen[state]++;
    if (point.nth % 7 === 3) await expectRepairable(node);
    return true;
  });
  console.log('kills', seen);
  expect(seen.before).toBeGreaterThan(20);
  expect(seen.after).toBeGreaterThan(5);
});

/** Goes through the points one by one until the process is not killed any more, on two nodes at a time. */
async function atEachPoint(
  calls: readonly KillPoint['call'][],
  tryOne: (node: BrokenNode, point: KillPoint) => Promise<boolean>,
): Promise<void> {
  const points = calls.map((call) => ({ call, next: 1, isOver: false }));
  const work = async () => {
    await using node = await startBrokenNode();
    // Under the tracer everything takes its time.
    await node.configure({ commandTimeoutMs: 10_000 });
    for (;;) {
      const open = points.find(({ isOver }) => !isOver);
      if (!open) return;
      const point = { call: open.call, nth: open.next++ };
      const wasKilled = await tryOne(node, point).catch((error: unknown) => {
        throw new Error(`killed at ${point.call} ${point.nth}`, { cause: error });
      });
      if (!wasKilled) open.isOver = true;
    }
  };
  await Promise.all([work(), work()]);
}
