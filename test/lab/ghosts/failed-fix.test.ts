/** Programs that fail in the middle of a fix: the node is as before or repaired, never between, and it is said which. */
import { describe, expect, it } from 'vitest';
import type { LabNode } from '../node/start-node.ts';
import { expectOnlyGone, expectUnchanged } from './expect-only-gone.ts';
import { addForeignRules } from './foreign-rules.ts';
import { type PeopledNode, startHauntedNode } from './haunted-node.ts';
import { configure, runDoctor } from './run-doctor.ts';
import { wrapTool } from './wrap-tool.ts';

describe('a restore program', () => {
  it('that deletes a foreign rule, too, is found out: the rule is named and the ghosts are put back', async () => {
    await using node = await startHauntedNode();
    await addForeignRules(node, 'legacy');
    const lost = '-A PREROUTING -d 203.0.113.9/32 -j my-forwards';
    const deletion = `iptables-legacy -t nat ${lost.replace('-A', '-D')}`;
    await useRestore(node, `real "$@"; code=$?; ${onlyOnce(deletion)}; exit $code`);
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({
      exitCode: 3,
      report: { fix: { outcome: 'failed', rollback: 'incomplete' } },
    });
    expect(fix.report.fix?.reason).toContain(lost);
    expect(fix.report.fix?.notes).toContain(`missing: ${lost}`);
    expect((await node.snapshot()).legacyIpv4).toBe(before.legacyIpv4.replace(`${lost}\n`, ''));
  });

  it('that says yes and does nothing is not believed', async () => {
    await using node = await startHauntedNode();
    await useRestore(node, 'cat >/dev/null; exit 0');
    await expectAsBefore(node, /still there/);
  });

  it('that refuses is quoted', async () => {
    await using node = await startHauntedNode();
    await useRestore(node, 'cat >/dev/null; echo "iptables-restore: line 9 failed" >&2; exit 1');
    await expectAsBefore(node, /exit code 1: iptables-restore: line 9 failed/);
  });

  it('that hangs is killed', async () => {
    await using node = await startHauntedNode();
    await useRestore(node, 'exec sleep infinity');
    await expectAsBefore(node, /did not end within 1 s and was killed/);
  });

  it('that hangs once it is done has done it: the kernel is what counts', async () => {
    await using node = await startHauntedNode();
    await useRestore(node, 'real "$@"; exec sleep infinity');
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expectOnlyGone(before, await node.snapshot(), { backend: 'legacy' });
  });

  it('that is killed at its work leaves the node as before, or repaired', async () => {
    await using node = await startHauntedNode();
    await useRestore(node, 'real "$@" & kill -9 $! ; kill -9 $$');
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    if (fix.exitCode === 0) return expectOnlyGone(before, await node.snapshot(), { backend: 'legacy' });
    expect(fix).toMatchObject({ exitCode: 3, report: { fix: { rollback: 'complete' } } });
    expectUnchanged(before, await node.snapshot());
  });

  it('that fails at the second table has the first one taken back, counters included', async () => {
    await using node = await startHauntedNode();
    await addForeignRules(node, 'legacy');
    await node.client.http('10.43.0.80', 80, { timeoutMs: 100 });
    const counters = () => node.dump('legacy', 'ipv4', { counters: true });
    const refusal = `cat >/run/lab/batch; grep -q '^.filter' /run/lab/batch && exit 1`;
    await useRestore(node, `${refusal}; real "$@" </run/lab/batch`);
    const before = await node.snapshot();
    const counted = (await counters()).split('\n').filter((line) => line.includes('-A KUBE-SEP'));

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 3, report: { fix: { outcome: 'failed', rollback: 'complete' } } });
    expect(fix.report.fix?.notes).toContainEqual(expect.stringMatching(/^taken back: iptables-legacy nat: /));
    expectUnchanged(before, await node.snapshot());
    expect(counted.some((line) => !line.startsWith('[0:0]'))).toBe(true);
    expect((await counters()).split('\n').filter((line) => line.includes('-A KUBE-SEP'))).toEqual(counted);
  });

  async function expectAsBefore(node: PeopledNode, reason: RegExp): Promise<void> {
    await addForeignRules(node, 'legacy');
    const before = await node.snapshot();
    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);
    expect(fix.report.fix).toMatchObject({ outcome: 'failed', rollback: 'complete' });
    expect(fix.report.fix?.reason).toMatch(reason);
    expect(fix.exitCode).toBe(3);
    expectUnchanged(before, await node.snapshot());
  }

  async function useRestore(node: PeopledNode, script: string): Promise<void> {
    const restore = await wrapTool(node, 'iptables-legacy-restore', script);
    await configure(node, {
      commands: { crictl: node.crictl, 'iptables-legacy-restore': restore },
      commandTimeoutMs: 1000,
      // A probe would be counted.
      checks: { 'iptables-ghosts': { probe: false } },
    });
  }
});

describe('a save program', () => {
  it('that fails after the write leaves an answer open, and the table as it was on disk', async () => {
    await using node = await startHauntedNode();
    // The first -t is the look before the write, the second one the look after it.
    const save = await wrapTool(
      node,
      'iptables-legacy-save',
      `case "$*" in *-t*) ${onlyOnce('exec iptables-legacy-save "$@"')}; exit 1;; esac; real "$@"`,
    );
    await configure(node, { commands: { crictl: node.crictl, 'iptables-legacy-save': save } });
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({
      exitCode: 3,
      report: { fix: { outcome: 'failed', rollback: 'incomplete' } },
    });
    const [, backup = ''] =
      /(\/var\/lib\/k3s-doctor\/backups\S+)/.exec(fix.report.fix?.notes.join() ?? '') ?? [];
    const kept = await node.readFile(backup);
    expect(kept.replace(/^\[\d+:\d+\] /gm, '')).toContain(ghostRules(before.legacyIpv4));
  });

  function ghostRules(dump: string): string {
    return dump
      .split('\n')
      .filter((line) => line.startsWith('-A KUBE-S'))
      .slice(0, 2)
      .join('\n');
  }
});

describe('the state directory', () => {
  it('on a read-only or full file system makes fix refuse before its first write', async () => {
    await using node = await startHauntedNode();
    const state = '/run/lab/state';
    await configure(node, { commands: { crictl: node.crictl }, paths: { state } });
    await node.run(['mkdir', '-p', state]);
    await node.run(['mount', '-t', 'tmpfs', '-o', 'size=64k,ro', 'lab', state]);
    await expectRefusal(node, /cannot write \/run\/lab\/state\/\S+: the file system is read-only/);

    await node.run(['mount', '-o', 'remount,rw', state]);
    await node.run(['sh', '-c', `cat /dev/zero >${state}/filler 2>/dev/null || true`]);
    await expectRefusal(node, /cannot write \/run\/lab\/state\/\S+: no space left on the device/);
  });

  it('with room for the journal and none for the backup makes fix refuse, too', async () => {
    await using node = await startHauntedNode();
    const state = '/run/lab/state';
    await configure(node, { commands: { crictl: node.crictl }, paths: { state } });
    await node.run(['mkdir', '-p', state]);
    await node.run(['mount', '-t', 'tmpfs', '-o', 'size=8m', 'lab', state]);
    await node.writeFile(`${state}/backups`, 'not a folder');
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 3, report: { fix: { outcome: 'failed', rollback: 'complete' } } });
    expect(fix.report.fix?.reason).toMatch(/cannot write \/run\/lab\/state\/backups/);
    expectUnchanged(before, await node.snapshot());
  });

  it('that fills up between two tables has the first one taken back, which is said', async () => {
    await using node = await startHauntedNode();
    const state = '/run/lab/state';
    await node.run(['mkdir', '-p', state]);
    await node.run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'lab', state]);
    const fill = `cat /dev/zero >${state}/filler 2>/dev/null`;
    const restore = await wrapTool(
      node,
      'iptables-legacy-restore',
      `real "$@"; code=$?; ${fill}; exit $code`,
    );
    const commands = { crictl: node.crictl, 'iptables-legacy-restore': restore };
    await configure(node, { commands, paths: { state } });
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 3, report: { fix: { outcome: 'failed', rollback: 'complete' } } });
    expect(fix.report.fix?.reason).toMatch(/no space left on the device/);
    expectUnchanged(before, await node.snapshot());
  });

  async function expectRefusal(node: LabNode, message: RegExp): Promise<void> {
    const before = await node.snapshot();
    const { exitCode, stderr } = await node.doctor(['fix', 'iptables-ghosts', '--yes']);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(exitCode).toBe(3);
    expectUnchanged(before, await node.snapshot());
  }
});

/** Shell words that run a command the first time only. */
function onlyOnce(command: string): string {
  return `if mkdir /run/lab/once 2>/dev/null; then ${command}; fi`;
}
