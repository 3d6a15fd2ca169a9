/** Both backends, both registration orders: what the doctor says is what traffic meets. */
import { describe, expect, it } from 'vitest';
import { expectOnlyGone, expectUnchanged } from './expect-only-gone.ts';
import { addForeignRules } from './foreign-rules.ts';
import { startHauntedNode } from './haunted-node.ts';
import { configure, runDoctor } from './run-doctor.ts';
import { noteCalls } from './wrap-tool.ts';

describe.each([
  ['legacy', 'ghosts', 'masks', 0],
  ['legacy', 'live', 'dormant', 3],
  ['nft', 'ghosts', 'masks', 0],
  ['nft', 'live', 'dormant', 3],
] as const)(
  'ghosts in %s, with the nat table of the %s registered last',
  (ghosts, winner, effect, answers) => {
    it(`are said to be "${effect}", which traffic confirms, and are removed`, async () => {
      await using node = await startHauntedNode({ ghosts, winner });
      await addForeignRules(node, ghosts);
      await addForeignRules(node, ghosts === 'legacy' ? 'nft' : 'legacy');
      const before = await node.snapshot();
      expect(await countAnswers()).toBe(answers);

      const check = await runDoctor(node, ['check', 'iptables-ghosts']);
      expect(check.exitCode).toBe(1);
      expect(check.findings[0]).toMatchObject({
        code: 'ghost-service',
        effect,
        traffic: {
          address: '10.43.0.80',
          port: 80,
          service: 'default/web:http',
          sentTo: [{ address: '10.42.0.5', port: 8080, state: 'dead' }],
          live: [{ address: '10.42.0.9' }, { address: '10.42.0.10' }],
        },
        remedy: { kind: 'planned' },
      });
      expectUnchanged(before, await node.snapshot());

      const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);
      expect(fix).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
      expectOnlyGone(before, await node.snapshot(), { backend: ghosts });
      expect(await countAnswers()).toBe(3);

      async function countAnswers(): Promise<number> {
        const requests = [1, 2, 3].map(() => node.client.http('10.43.0.80', 80, { timeoutMs: 300 }));
        return (await Promise.all(requests)).filter(({ ok }) => ok).length;
      }
    });
  },
);

describe('a fixed node', () => {
  it('is left alone by the next run: no writing command, no journal, exit code 0', async () => {
    await using node = await startHauntedNode();
    const noted = await noteCalls(node, node.crictl);
    await configure(node, { commands: noted.commands });
    expect((await runDoctor(node, ['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(0);
    expect((await noted.calls()).join('\n')).toContain('iptables-legacy-restore --noflush');
    const journal = await node.run(['ls', '-R', '/var/lib/k3s-doctor']);
    const healthy = await node.snapshot();
    await noted.forget();

    const again = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(again).toMatchObject({
      exitCode: 0,
      findings: [],
      report: { plan: [], fix: { outcome: 'nothing-to-do' } },
    });
    const calls = await noted.calls();
    expect(calls).toContain('iptables-legacy-save -c');
    expect(
      calls.filter(
        (call) => !/^ip6?tables-(legacy|nft)-save -c$|^nft list |^conntrack -L |^flock /.test(call),
      ),
    ).toEqual([]);
    expect(await node.run(['ls', '-R', '/var/lib/k3s-doctor'])).toBe(journal);
    expect(await node.snapshot()).toEqual(healthy);
  });
});
