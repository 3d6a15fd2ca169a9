/** A node that changes between the plan and the write: nothing is done that was not looked at. */
import { describe, expect, it } from 'vitest';
import { expectOnlyGone } from './expect-only-gone.ts';
import { type PeopledNode, startHauntedNode } from './haunted-node.ts';
import { configure, runDoctor } from './run-doctor.ts';
import { wrapTool } from './wrap-tool.ts';

describe('a ghost chain that somebody writes to after the plan was made', () => {
  it('is planned anew and then removed', async () => {
    await using node = await startHauntedNode();
    const before = await node.snapshot();
    await writeBeforeLooking(node, '[ -e /run/lab/written ] || { touch /run/lab/written; write; }');

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expectOnlyGone(before, await node.snapshot(), { backend: 'legacy' });
    const journal = await node.run(['sh', '-c', 'cat /var/lib/k3s-doctor/journal/*']);
    expect(journal).toContain('has changed since');
  });

  it('again and again is left alone: nothing is written, exit code 1', async () => {
    await using node = await startHauntedNode();
    await writeBeforeLooking(node, 'write');

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({
      exitCode: 1,
      report: { fix: { outcome: 'moved-on', rollback: 'complete' } },
    });
    expect(await node.dump('legacy', 'ipv4')).toContain('-j KUBE-SERVICES');
    expect((await node.exec(['test', '-e', '/run/lab/restored'])).exitCode).toBe(1);
  });

  /** `write` adds one more of its own rules to a ghost chain, right before the last look at it. */
  async function writeBeforeLooking(node: PeopledNode, words: string): Promise<void> {
    const rule = '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000';
    const write = `write() { iptables-legacy -t nat ${rule}; }`;
    const save = `${write}; case "$*" in *'-t nat') ${words};; esac; real "$@"`;
    const commands = {
      crictl: node.crictl,
      'iptables-legacy-save': await wrapTool(node, 'iptables-legacy-save', save),
      'iptables-legacy-restore': await wrapTool(
        node,
        'iptables-legacy-restore',
        'touch /run/lab/restored; real "$@"',
      ),
    };
    await configure(node, { commands });
  }
});
