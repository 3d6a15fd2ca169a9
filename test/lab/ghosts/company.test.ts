/** Others at work on the same firewall: kube-proxy, another fix, and many rules. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { identifyPod } from '../node/add-pod.ts';
import type { Backend } from '../node/ruleset-text.ts';
import type { LabNode } from '../node/start-node.ts';
import type { ExecResult } from '../node/start-process.ts';
import { expectOnlyGone, expectUnchanged } from './expect-only-gone.ts';
import { addForeignRules } from './foreign-rules.ts';
import { otherThan, startHauntedNode, web, webGhost, webLive } from './haunted-node.ts';
import { kubeProxyRules, kubeProxySync } from './kube-proxy-rules.ts';
import { runDoctor } from './run-doctor.ts';

const dead = identifyPod({ name: 'dead', address: '10.42.0.5' });

describe('a kube-proxy that rewrites its rules all the time', () => {
  it.each(['legacy', 'nft'] as const)(
    'is not disturbed, nor does it disturb a fix: ghosts in %s',
    async (ghosts) => {
      const live = otherThan(ghosts);
      await using node = await startHauntedNode({ ghosts });
      await addForeignRules(node, live);
      await addForeignRules(node, ghosts);
      const port = (hostPort: number) => [{ hostPort, containerPort: 8080 }];
      await node.cni(live, 'ADD', { pod: node.pods[0], hostPorts: port(81) });
      const before = await node.snapshot();

      for (let round = 1; round <= 3; round++) {
        // A ghost in the very table that kube-proxy writes to.
        await node.cni(live, 'ADD', { pod: dead, hostPorts: port(80) });
        const kubeProxy = await startSyncing(node, live);
        const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);
        expect(fix).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
        expect(fix.findings.map(({ code }) => code)).toEqual(
          expect.arrayContaining(['ghost-service', 'ghost-host-port']),
        );
        expect(await kubeProxy.stop()).toMatchObject({ exitCode: 0, stderr: '' });
        if (round < 3) await node.restore(ghosts, 'ipv4', kubeProxyRules([webGhost]), { noFlush: true });
      }

      await node.restore(live, 'ipv4', kubeProxySync([webLive]), { noFlush: true });
      expectOnlyGone(before, await node.snapshot(), { backend: ghosts });
      expect(await node.client.http('10.43.0.80', 80)).toMatchObject({ ok: true });
      expect(await node.client.http(node.address, 81)).toMatchObject({ ok: true, body: 'web-1' });
    },
  );

  /** One Service moves to and fro, in the same bytes as kube-proxy would write. */
  async function startSyncing(node: LabNode, backend: Backend): Promise<{ stop: () => Promise<ExecResult> }> {
    const restore = backend === 'legacy' ? 'iptables-legacy-restore -w 5' : 'iptables-nft-restore';
    await node.writeFile('/run/lab/sync-a', kubeProxySync([webLive]));
    await node.writeFile('/run/lab/sync-b', kubeProxySync([{ ...web, endpoints: ['10.42.0.10:8080'] }]));
    await node.writeFile('/run/lab/go', '');
    const write = (era: string) => `${restore} --noflush --counters </run/lab/sync-${era}`;
    const script = `while [ -e /run/lab/go ]; do ${write('a')}; ${write('b')}; echo written; done`;
    const loop = node.start(['sh', '-ec', script]);
    await loop.waitForLine('written');
    return {
      stop: async () => {
        await node.run(['rm', '/run/lab/go']);
        return loop.ended;
      },
    };
  }
});

describe('the xtables lock, held by another', () => {
  it('for a moment is waited for', async () => {
    await using node = await startHauntedNode();
    const before = await node.snapshot();
    await holdLock(node, '2');

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix.exitCode).toBe(0);
    expectOnlyGone(before, await node.snapshot(), { backend: 'legacy' });
  });

  it('for good makes fix give up, with nothing changed', async () => {
    await using node = await startHauntedNode();
    const before = await node.snapshot();
    await holdLock(node, 'infinity');

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 3, report: { fix: { outcome: 'failed', rollback: 'complete' } } });
    expect(fix.report.fix?.reason).toMatch(/exit code 4: .*xtables.lock/);
    expectUnchanged(before, await node.snapshot());
  });

  async function holdLock(node: LabNode, seconds: string): Promise<void> {
    const held = `echo held; exec sleep ${seconds}`;
    await node.start(['flock', '/run/xtables.lock', 'sh', '-c', held]).waitForLine('held');
  }
});

describe('two fixes at once', () => {
  it('both end well, or one says that the other is at work', async () => {
    await using node = await startHauntedNode();
    const before = await node.snapshot();
    for (const delayMs of [0, 50, 100, 150, 200]) {
      await node.restore('legacy', 'ipv4', kubeProxyRules([webGhost]));

      const runs = await Promise.all(
        [0, delayMs].map(async (ms) => {
          await delay(ms);
          return node.doctor(['fix', 'iptables-ghosts', '--yes']);
        }),
      );

      const codes = runs.map(({ exitCode }) => exitCode).sort();
      expect([
        [0, 0],
        [0, 4],
      ]).toContainEqual(codes);
      const refused = runs.find(({ exitCode }) => exitCode === 4);
      if (refused)
        expect(refused.stderr).toMatch(/^doctor: another run is at work \(pid \d+, fix, since .*\n$/);
      expectOnlyGone(before, await node.snapshot(), { backend: 'legacy' });
    }
  });
});

describe('a table of 30,000 rules', () => {
  it('is refused above a cap that is too low for it, and repaired below the usual one', async () => {
    const services = Array.from({ length: 2_700 }, (_, i) => ({
      name: `default/service-${i}:http`,
      address: `10.43.${100 + (i >> 8)}.${i & 255}`,
      port: 80,
      endpoints: [1, 2, 3].map((k) => `10.42.${k}.${(i % 250) + 1}:8080`),
    }));
    await using node = await startHauntedNode({ earlier: [webGhost, ...services] });
    await addForeignRules(node, 'legacy');
    const before = await node.snapshot();
    expect(before.legacyIpv4.match(/^-A /gm)?.length).toBeGreaterThan(29_000);

    const refused = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes', '--max-changes', '10000']);
    expect(refused.exitCode).toBe(1);
    expect(refused.report.fix?.reason).toContain('more than the cap of 10000');
    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expectOnlyGone(before, await node.snapshot(), { backend: 'legacy' });
  });
});
