/** A fix that is told to stop, by whatever signal, leaves the node as it was. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { expectUnchanged } from '../ghosts/expect-only-gone.ts';
import { startHauntedNode } from '../ghosts/haunted-node.ts';
import { configure, runDoctor } from '../ghosts/run-doctor.ts';
import { wrapTool } from '../ghosts/wrap-tool.ts';
import { doctorCommand } from '../node/start-node.ts';

it.each(['TERM', 'INT', 'HUP'])(
  'SIG%s in the middle of a step: it is finished, all is taken back, and nobody is blamed',
  async (signal) => {
    await using node = await startHauntedNode();
    const stop = `real "$@"; code=$?; mkdir /run/lab/once 2>/dev/null && kill -${signal} $PPID; exit $code`;
    const restore = await wrapTool(node, 'iptables-legacy-restore', stop);
    await configure(node, { commands: { crictl: node.crictl, 'iptables-legacy-restore': restore } });
    const before = await node.snapshot();

    const stopped = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(stopped).toMatchObject({
      exitCode: 1,
      report: { fix: { outcome: 'stopped', rollback: 'complete' } },
    });
    expectUnchanged(before, await node.snapshot());
    const state = JSON.parse(await node.readFile('/var/lib/k3s-doctor/state.json'));
    expect(state.breaker).toEqual({ failures: 0 });
    expect(Object.values(state.findings)).toContainEqual(expect.objectContaining({ failedAttempts: 0 }));
  },
);

it('a signal at the question is a no', async () => {
  await using node = await startHauntedNode();
  const before = await node.snapshot();
  const asked = node.start([
    'script',
    '-qec',
    [...doctorCommand, 'fix', 'iptables-ghosts'].join(' '),
    '/dev/null',
  ]);
  await asked.waitForLine('conntrack -D');
  // The question has no line of its own.
  await delay(300);

  await node.run(['pkill', '-TERM', '-f', `^${process.execPath} .*main.ts fix`]);

  const { stdout } = await asked.ended;
  expect(stdout).toContain('Apply this plan? [y/N]');
  expect(stdout).toContain('Nothing was changed: not confirmed');
  expectUnchanged(before, await node.snapshot());
});
