/** A fix that is killed at some forty moments, in the company of portmap: each time the next fix repairs. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { identifyPod } from '../node/add-pod.ts';
import { expectOnlyGone } from './expect-only-gone.ts';
import { addForeignRules } from './foreign-rules.ts';
import { startHauntedNode, webGhost } from './haunted-node.ts';
import { kubeProxyRules } from './kube-proxy-rules.ts';
import { configure, runDoctor } from './run-doctor.ts';
import { wrapTool } from './wrap-tool.ts';

const dead = identifyPod({ name: 'dead', address: '10.42.0.5' });

describe('a fix that is killed', () => {
  it('at any moment leaves nothing but a node that the next fix repairs', async () => {
    await using node = await startHauntedNode();
    await addForeignRules(node, 'legacy');
    const dead80 = { pod: dead, hostPorts: [{ hostPort: 80, containerPort: 8080 }] };
    const before = await node.snapshot();
    const started = performance.now();
    expect((await node.doctor(['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(0);
    const wholeMs = performance.now() - started;
    const healthy = await node.snapshot();
    expectOnlyGone(before, healthy, { backend: 'legacy' });

    for (let moment = 1; moment <= 8; moment++) {
      await node.restore('legacy', 'ipv4', kubeProxyRules([webGhost]), { noFlush: true });
      await node.cni('nft', 'ADD', dead80);
      const run = node.startDoctor(['fix', 'iptables-ghosts', '--yes']);
      await delay((wholeMs * moment) / 8);
      await run.stop();

      const left = await node.snapshot();
      expect(linesOf(left.legacyIpv4)).toEqual(expect.arrayContaining(linesOf(healthy.legacyIpv4)));
      expect(linesOf(left.nftIpv4)).toEqual(expect.arrayContaining(linesOf(healthy.nftIpv4)));
      const next = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);
      expect(next.exitCode).toBe(0);
      expectHealthy(await node.snapshot());
    }

    const restores = ['iptables-legacy-restore', 'iptables-nft-restore'] as const;
    for (let write = 1; write <= 4; write++) {
      for (const script of [
        dieAt(write, 'kill -9 $PPID; exit 1'),
        dieAt(write, 'real "$@"; kill -9 $PPID; exit 0'),
      ]) {
        const wrapped = await Promise.all(restores.map((tool) => wrapTool(node, tool, script)));
        const commands = Object.fromEntries(restores.map((tool, i) => [tool, wrapped[i]]));
        await node.restore('legacy', 'ipv4', kubeProxyRules([webGhost]), { noFlush: true });
        await node.cni('nft', 'ADD', dead80);
        await node.run(['rm', '-f', '/run/lab/writes']);
        await configure(node, { commands: { ...commands, crictl: node.crictl } });
        expect((await node.doctor(['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(137);

        await configure(node, { commands: { crictl: node.crictl } });
        expect((await node.doctor(['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(0);
        expectHealthy(await node.snapshot());
      }
    }

    /** Shell words that run at one of the writes only. */
    function dieAt(write: number, words: string): string {
      return `echo >>/run/lab/writes; [ "$(wc -l </run/lab/writes)" -ne ${write} ] || { ${words}; }; real "$@"`;
    }

    /** portmap's own chains for all pods stay. */
    function expectHealthy({ legacyIpv4, nftIpv4 }: { legacyIpv4: string; nftIpv4: string }): void {
      expect(legacyIpv4).toBe(healthy.legacyIpv4);
      const kept = linesOf(nftIpv4).filter((line) => !/CNI-HOSTPORT/.test(line));
      expect(kept).toEqual(linesOf(healthy.nftIpv4));
      expect(nftIpv4).not.toContain(dead.sandboxId);
    }
  });
});

function linesOf(dump: string): string[] {
  return dump.split('\n');
}
