import { expect } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { type BrokenNode, type NodeState, stateFolder } from './broken-node.ts';

/**
 * After a kill: no table was changed in part; `settle` alone brings the node to before or after as a
 * whole, and says which; the run has an end, and the history knows of it. Returns which.
 */
export async function expectSettles(node: BrokenNode): Promise<Exclude<NodeState, 'between'>> {
  await node.state();
  const wasOpen = (await node.exec(['test', '-e', `${stateFolder}/journal/open`])).exitCode === 0;
  const settled = await node.doctor(['settle']);
  expect(settled).toMatchObject({ exitCode: 0, stderr: '' });
  const state = await node.state();
  if (state === 'between') throw new Error(`neither before nor after: ${settled.stdout}`);
  const { runs, isOpen } = await readRuns(node);
  expect(isOpen).toBe(false);
  for (const run of runs) expect(run).toMatchObject({ hasBegun: run.hasEnded, isInHistory: run.hasEnded });
  if (settled.stdout !== '') {
    expect(wasOpen).toBe(true);
    expect(settled.stdout).toMatch(/^run \S+ was killed at its work: (done|reverted)/);
  }
  return state;
}

/** What is there can be repaired, and then there is nothing to do. */
export async function expectRepairable(node: BrokenNode): Promise<void> {
  expect((await runDoctor(node, ['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(0);
  expect(await node.state()).toBe('after');
  expect(await node.hasStaleConnection()).toBe(false);
  const again = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);
  expect(again).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'nothing-to-do' } } });
  expect(again.report.settled).toBeUndefined();
}

interface RunOnDisk {
  readonly hasBegun: boolean;
  readonly hasEnded: boolean;
  readonly isInHistory: boolean;
}

async function readRuns(node: BrokenNode): Promise<{ runs: RunOnDisk[]; isOpen: boolean }> {
  const script = `cd ${stateFolder}/journal 2>/dev/null || exit 0
ls
for run in *.jsonl; do
  name=\${run%.jsonl}
  echo "run $(grep -c '"event":"begin"' $run) $(grep -c '"event":"end"' $run) $(grep -c "\\"run\\":\\"$name\\"" ../history.jsonl)"
done`;
  const lines = (await node.run(['sh', '-c', script])).split('\n');
  const runs = lines
    .filter((line) => line.startsWith('run '))
    .map((line) => line.split(' ').slice(1).map(Number))
    .map(([begun = 0, ended = 0, told = 0]) => ({
      hasBegun: begun > 0,
      hasEnded: ended > 0,
      isInHistory: told === 1,
    }));
  return { runs, isOpen: lines.includes('open') };
}
