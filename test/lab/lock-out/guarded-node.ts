import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { expectUnchanged } from '../ghosts/expect-only-gone.ts';
import { type Haunting, startHauntedNode } from '../ghosts/haunted-node.ts';
import { configure, runDoctor } from '../ghosts/run-doctor.ts';
import type { LabNode } from '../node/start-node.ts';

export type GuardedNode = Awaited<ReturnType<typeof startGuardedNode>>;

/** A haunted node with something that listens on port 22 and, as k3s' server does, on 6443. */
export async function startGuardedNode(haunting: Haunting = {}) {
  const node = await startHauntedNode(haunting);
  await listen(node);
  return {
    ...node,
    isOpen: (port: number) => isOpen(node, port),
    configure: (config: { readonly guards: object }) =>
      configure(node, {
        commands: { crictl: node.crictl },
        guards: { probes: { dns: false, peer: false }, ...config.guards },
      }),
  };

  async function isOpen({ client, address }: typeof node, port: number): Promise<boolean> {
    return (await client.http(address, port, { timeoutMs: 400 })).ok;
  }
}

async function listen(node: LabNode): Promise<void> {
  const server = node.start([process.execPath, servePod, 'the node itself', '22,6443', '']);
  await server.waitForLine('serving');
}

const servePod = fileURLToPath(new URL('../node/serve-pod.ts', import.meta.url));

/** Whatever way it is asked for, the fix is refused with the reason, and nothing is written. */
export async function expectFixRefused(node: GuardedNode, reason: RegExp): Promise<void> {
  const before = await node.snapshot();
  for (const how of ['--dry-run', '--yes', '--unattended', '--unattended']) {
    const fix = await runDoctor(node, ['fix', 'iptables-ghosts', how]);
    const isFirstSight = fix.report.fix?.reason?.includes('first time') ?? false;
    expect(fix, how).toMatchObject({
      exitCode: 1,
      report: { plan: [], fix: { outcome: 'not-applied', reason: expect.any(String) } },
    });
    if (isFirstSight) continue;
    expect(fix.report.fix?.reason, how).toMatch(reason);
    for (const { remedy } of fix.findings) {
      expect(remedy, how).toEqual({ kind: 'held', reason: expect.stringMatching(reason) });
    }
  }
  expectUnchanged(before, await node.snapshot());
  expect((await node.exec(['ls', '/var/lib/k3s-doctor/journal'])).exitCode).not.toBe(0);
}
