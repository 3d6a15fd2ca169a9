/** Ghosts by which people come in, or the cluster reaches the API: their removal is refused. */
import { describe, expect, it } from 'vitest';
import { expectOnlyGone } from '../ghosts/expect-only-gone.ts';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { expectFixRefused, type GuardedNode, startGuardedNode } from './guarded-node.ts';

/** Of the shape that kube-proxy writes for the health check of a load balancer, at another port. */
const accept = (port: number) =>
  `-A KUBE-NODEPORTS -p tcp -m comment --comment "default/lb:http health check node port" -m tcp --dport ${port} -j ACCEPT`;

const residue =
  '-A INPUT -m comment --comment "KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies" -m mark --mark 0x20000/0x20000 -j ACCEPT';

/** Connects to port 22 and stays. */
const keepOpen = 'require("node:net").connect(22, process.argv[1], () => console.log("open"))';

/** An old firewall of somebody's lets in what it knows, and nothing else. */
async function shutOthersOut(node: GuardedNode, backend: 'legacy' | 'nft', lines: readonly string[]) {
  const established = '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
  const dump = ['*filter', established, '-A INPUT -i lo -j ACCEPT', ...lines, 'COMMIT', ''].join('\n');
  await node.restore(backend, 'ipv4', dump, { noFlush: true });
  await node.run([`iptables-${backend}`, '-P', 'INPUT', 'DROP']);
}

describe.each(['legacy', 'nft'] as const)('ghosts in %s', (ghosts) => {
  const tool = `iptables-${ghosts}`;

  it('an accept for SSH in what looks like a ghost, ahead of a policy that drops', async () => {
    await using node = await startGuardedNode({ ghosts });
    await shutOthersOut(node, ghosts, [accept(22)]);
    expect(await node.isOpen(22)).toBe(true);

    await expectFixRefused(
      node,
      new RegExp(
        `lock people out.*${tool} filter: remove .*a new SSH connection from \\S+ to 192\\.168\\.60\\.1 port 22 ` +
          `passes now and would be dropped by the policy of INPUT, ${tool} filter`,
      ),
    );

    // What it was saved from:
    await node.run([tool, '-F', 'KUBE-NODEPORTS']);
    expect(await node.isOpen(22)).toBe(false);
  });

  it("kube-router's residue, which lets in what is marked", async () => {
    await using node = await startGuardedNode({ ghosts });
    await node.run([
      ...[tool, '-t', 'mangle', '-A', 'PREROUTING', '-p', 'tcp', '--dport', '22'],
      ...['-j', 'MARK', '--set-xmark', '0x20000/0x20000'],
    ]);
    await shutOthersOut(node, ghosts, [residue, '-A INPUT -p tcp -j REJECT --reject-with tcp-reset']);
    expect(await node.isOpen(22)).toBe(true);

    await expectFixRefused(
      node,
      new RegExp(
        `a new SSH connection .* would be rejected by rule \\d+ of INPUT, ${tool} filter ` +
          `\\(-A INPUT -p tcp -j REJECT --reject-with tcp-reset\\)`,
      ),
    );

    await node.run([
      tool,
      ...(residue
        .replace('-A', '-D')
        .match(/"[^"]*"|\S+/g)
        ?.map(unquoted) ?? []),
    ]);
    expect(await node.isOpen(22)).toBe(false);
  });

  it('what an open session hangs on, where no new one is let in', async () => {
    await using node = await startGuardedNode({ ghosts });
    const session = node.client.start([process.execPath, '-e', keepOpen, node.address]);
    await session.waitForLine('open');
    await node.run([
      ...[tool, '-t', 'mangle', '-A', 'PREROUTING', '-p', 'tcp', '--dport', '22'],
      ...['-j', 'MARK', '--set-xmark', '0x20000/0x20000'],
    ]);
    const noneNew = '-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j DROP';
    const dump = ['*filter', noneNew, '-A INPUT -i lo -j ACCEPT', residue, 'COMMIT', ''].join('\n');
    await node.restore(ghosts, 'ipv4', dump, { noFlush: true });
    await node.run([tool, '-P', 'INPUT', 'DROP']);

    await expectFixRefused(
      node,
      /the open SSH session with 192\.168\.60\.2 passes now and would be dropped by the policy of INPUT/,
    );
  });

  it('an accept that lets other hosts reach the API', async () => {
    await using node = await startGuardedNode({ ghosts });
    await shutOthersOut(node, ghosts, [accept(6443), '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT']);
    await node.configure({ guards: { adminNetworks: ['192.168.60.2'] } });
    expect(await node.isOpen(6443)).toBe(true);

    await expectFixRefused(
      node,
      new RegExp(
        `a new connection from 192\\.168\\.60\\.2 to the API at 192\\.168\\.60\\.1 port 6443 passes now and ` +
          `would be dropped by the policy of INPUT, ${tool} filter`,
      ),
    );

    await node.run([tool, '-F', 'KUBE-NODEPORTS']);
    expect(await node.isOpen(6443)).toBe(false);
  });

  it('what is let in by a rule of its own besides is removed', async () => {
    await using node = await startGuardedNode({ ghosts });
    await shutOthersOut(node, ghosts, [accept(22), '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT']);
    const before = await node.snapshot();

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expectOnlyGone(before, await node.snapshot(), { backend: ghosts });
    expect(await node.isOpen(22)).toBe(true);
  });

  it('who takes SSH away is removed, and SSH is back', async () => {
    await using node = await startGuardedNode({ ghosts });
    const refusal =
      '-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "default/git:ssh has no endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 22 -j REJECT --reject-with tcp-reset';
    await node.restore(ghosts, 'ipv4', `*filter\n${refusal}\nCOMMIT\n`, { noFlush: true });
    expect(await node.isOpen(22)).toBe(false);

    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', '--yes']);

    expect(fix).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expect(await node.isOpen(22)).toBe(true);

    // To bring it back would be to lock people out again.
    const healthy = await node.snapshot();
    for (const how of ['--dry-run', '--yes']) {
      const undo = await runDoctor(node, ['undo', fix.report.run.id, how]);
      expect(undo, how).toMatchObject({ exitCode: 1, report: { plan: [], fix: { outcome: 'not-applied' } } });
      expect(undo.report.fix?.reason).toMatch(/lock people out/);
      expect(undo.report.notices.join('\n')).toMatch(
        new RegExp(
          `left as it is: ${tool} filter: put back .*a new SSH connection from \\S+ to 192\\.168\\.60\\.1 port 22 ` +
            'passes now and would be rejected by rule 1 of KUBE-EXTERNAL-SERVICES',
        ),
      );
    }
    expect(await node.snapshot()).toEqual(healthy);
  });
});

function unquoted(word: string): string {
  return word.replace(/^"|"$/g, '');
}
