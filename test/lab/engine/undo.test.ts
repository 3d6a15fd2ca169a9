/** Taking a run back on the real kernel, as far as the node has not moved on. */
import { describe, expect, it } from 'vitest';
import { expectUnchanged } from '../ghosts/expect-only-gone.ts';
import { addForeignRules } from '../ghosts/foreign-rules.ts';
import { type PeopledNode, startHauntedNode, startPeopledNode } from '../ghosts/haunted-node.ts';
import { configure, runDoctor } from '../ghosts/run-doctor.ts';
import { wrapTool } from '../ghosts/wrap-tool.ts';

async function fixed(node: PeopledNode): Promise<string> {
  const { report, exitCode } = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);
  expect(exitCode).toBe(0);
  return report.run.id;
}

async function history(node: PeopledNode): Promise<{ verb: string; outcome: string; undoes?: string }[]> {
  return JSON.parse((await node.doctor(['history', '--format', 'json'])).stdout).runs;
}

describe('undo', () => {
  it('puts back what the run removed, in both tables and in its place, counters included', async () => {
    await using node = await startHauntedNode();
    await addForeignRules(node, 'legacy');
    // Its own probe would be counted.
    await configure(node, {
      commands: { crictl: node.crictl },
      checks: { 'iptables-ghosts': { probe: false } },
    });
    await node.client.http('10.43.0.80', 80, { timeoutMs: 100 });
    const counters = () => node.dump('legacy', 'ipv4', { counters: true });
    const before = await node.snapshot();
    const counted = await counters();
    const run = await fixed(node);

    const undone = await runDoctor(node, ['undo', run, '--yes']);

    expect(undone).toMatchObject({
      exitCode: 0,
      report: { run: { verb: 'undo' }, fix: { outcome: 'done' } },
    });
    expect(undone.report.plan.map(({ title }) => title.split(':')[0])).toEqual([
      'iptables-legacy mangle',
      'iptables-legacy filter',
      'iptables-legacy nat',
    ]);
    expectUnchanged(before, await node.snapshot());
    const ghosts = (text: string) => text.split('\n').filter((line) => line.includes('-A KUBE-SEP'));
    expect(ghosts(await counters())).toEqual(ghosts(counted));
    expect(await history(node)).toMatchObject([
      { verb: 'undo', outcome: 'done', undoes: run },
      { verb: 'fix', outcome: 'done', run },
    ]);
  });

  it('shows exactly what it would do and does nothing in a dry run', async () => {
    await using node = await startHauntedNode();
    const run = await fixed(node);
    const healthy = await node.snapshot();

    const { report, exitCode } = await runDoctor(node, ['undo', run, '--dry-run']);

    expect(exitCode).toBe(0);
    expect(report.plan.map(({ input }) => input).join()).toContain(':KUBE-SERVICES - [0:0]\n');
    expectUnchanged(healthy, await node.snapshot());
  });

  it('names what has moved on since, leaves it as it is, and takes back the rest', async () => {
    await using node = await startHauntedNode();
    const before = await node.snapshot();
    const run = await fixed(node);
    await node.run(['iptables-legacy', '-t', 'nat', '-N', 'KUBE-SERVICES']);
    const moved = await node.snapshot();

    const undone = await runDoctor(node, ['undo', run, '--yes']);

    expect(undone.exitCode).toBe(1);
    expect(undone.report.notices).toContain(
      'left as it is: iptables-legacy nat: chain KUBE-SERVICES is there again, with other rules',
    );
    const after = (await node.snapshot()).legacyIpv4;
    const table = (text: string, name: string) =>
      text.split(/^(?=\*)/m).find((part) => part.startsWith(`*${name}`));
    expect(table(after, 'nat')).toBe(table(moved.legacyIpv4, 'nat'));
    expect(table(after, 'filter')).toBe(table(before.legacyIpv4, 'filter'));
  });

  it('is refused a second time, and is not itself undone: a later run must not be hit', async () => {
    await using node = await startHauntedNode();
    const run = await fixed(node);
    const undone = await runDoctor(node, ['undo', run, '--yes']);
    await fixed(node);
    const healthy = await node.snapshot();

    for (const target of [run, undone.report.run.id]) {
      const { exitCode, stderr } = await node.doctor(['undo', target, '--yes']);
      expect(stderr).toMatch(/was taken back already, by run|is itself an undo/);
      expect(exitCode).toBe(64);
    }
    expectUnchanged(healthy, await node.snapshot());
  });

  it('that fails half-way is taken back itself', async () => {
    await using node = await startHauntedNode();
    const run = await fixed(node);
    const healthy = await node.snapshot();
    const once = 'mkdir /run/lab/once 2>/dev/null || { cat >/dev/null; exit 1; }';
    // The second restore fails, and the one that takes the first back does not.
    const script = `${once.replace('exit 1', 'mkdir /run/lab/twice 2>/dev/null && exit 1')}; real "$@"`;
    const restore = await wrapTool(
      node,
      'iptables-legacy-restore',
      `cat >/run/lab/batch; ${script.replaceAll('cat >/dev/null; ', '')} </run/lab/batch`,
    );
    await configure(node, { commands: { crictl: node.crictl, 'iptables-legacy-restore': restore } });

    const undone = await runDoctor(node, ['undo', run, '--yes']);

    expect(undone).toMatchObject({
      exitCode: 3,
      report: { fix: { outcome: 'failed', rollback: 'complete' } },
    });
    expectUnchanged(healthy, await node.snapshot());
  });

  it('keeps an unattended run from doing the same again, and not a person', async () => {
    await using node = await startHauntedNode();
    const run = await fixed(node);
    await runDoctor(node, ['undo', run, '--yes']);
    const ghosts = await node.snapshot();

    for (let i = 0; i < 3; i++) {
      const { exitCode, findings } = await runDoctor(node, ['fix', 'iptables-ghosts', '--unattended']);
      expect(exitCode).toBe(1);
      expect(findings[0]?.remedy).toMatchObject({
        kind: 'held',
        reason: expect.stringContaining('took this repair back'),
      });
    }
    expectUnchanged(ghosts, await node.snapshot());
    expect((await runDoctor(node, ['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(0);
  });
});

it.each([
  ['nonsense', /there is no run "nonsense"/],
  ['20200101T000000000Z-1', /there is no run/],
  ['../../etc/passwd', /there is no run/],
])('undo refuses %s: bad usage', async (run, message) => {
  await using node = await startPeopledNode();
  const { exitCode, stderr } = await node.doctor(['undo', run, '--yes']);
  expect(exitCode).toBe(64);
  expect(stderr).toMatch(message);
});
