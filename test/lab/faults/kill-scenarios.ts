import { expect } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { wrapTool } from '../ghosts/wrap-tool.ts';
import { type BrokenNode, startBrokenNode } from './broken-node.ts';
import { expectRepairable, expectSettles } from './expect-settled.ts';
import { type KillPoint, killAt } from './kill-at.ts';

/** Returns false when the command came to its end before that point. */
export type Scenario = (node: BrokenNode, point: KillPoint) => Promise<boolean>;

/** Under the tracer everything takes its time. */
const patient = { commandTimeoutMs: 10_000 };

export const fixIsKilled: Scenario = async (node, point) => {
  await node.configure(patient);
  await node.breakAgain();
  if (!(await killAt(node, ['fix', 'iptables-ghosts', '--yes'], point))) return false;
  const state = await expectSettles(node);
  if (state === 'after') expect(await node.hasStaleConnection()).toBe(false);
  return true;
};

/** And the fix after that finds its way. */
export const fixIsKilledAndRepeated: Scenario = async (node, point) => {
  const wasKilled = await fixIsKilled(node, point);
  if (wasKilled) await expectRepairable(node);
  return wasKilled;
};

export const settlingIsKilled: Scenario = async (node, point) => {
  await node.configure(patient);
  await node.breakAgain();
  // Behind the second table.
  if (!(await killAt(node, ['fix', 'iptables-ghosts', '--yes'], { call: 'fsync', nth: 20 })))
    throw new Error('the fix was not killed');
  expect(await node.state()).toBe('between');
  const wasKilled = await killAt(node, ['settle'], point);
  expect(await expectSettles(node)).toBe('before');
  return wasKilled;
};

export const undoIsKilled: Scenario = async (node, point) => {
  await node.configure(patient);
  await node.breakAgain();
  const { report } = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);
  expect(await node.state()).toBe('after');
  if (!(await killAt(node, ['undo', report.run.id, '--yes'], point))) {
    expect(await node.state()).toBe('before');
    return false;
  }
  await expectSettles(node);
  return true;
};

/** The second table cannot be written, so that the first one is taken back; killed at that. */
export const takingBackIsKilled: Scenario = async (node, point) => {
  const refusal = `cat >/run/lab/batch; grep -q '^.filter' /run/lab/batch && exit 1; real "$@" </run/lab/batch`;
  const restore = await wrapTool(node, 'iptables-legacy-restore', refusal);
  await node.configure({ ...patient, commands: { 'iptables-legacy-restore': restore } });
  await node.breakAgain();
  const wasKilled = await killAt(node, ['fix', 'iptables-ghosts', '--yes'], {
    ...point,
    expectedExitCode: 3,
  });
  expect(await expectSettles(node)).toBe('before');
  return wasKilled;
};

export interface Points {
  readonly call: KillPoint['call'];
  readonly first?: number;
  /** Default every one. */
  readonly stride?: number;
}

/** Goes from point to point until the command is not killed any more, on two nodes at a time. Returns how many there were. */
export async function atEachPoint(
  scenario: Scenario,
  { call, first = 1, stride = 1 }: Points,
): Promise<number> {
  let next = first;
  let isOver = false;
  let killed = 0;
  const work = async () => {
    await using node = await startBrokenNode();
    while (!isOver) {
      const point = { call, nth: next };
      next += stride;
      try {
        if (await scenario(node, point)) killed++;
        else isOver = true;
      } catch (error) {
        isOver = true;
        throw new Error(`killed at ${call} ${point.nth}`, { cause: error });
      }
    }
  };
  await Promise.all([work(), work()]);
  return killed;
}
