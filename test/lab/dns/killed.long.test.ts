/** Killed while it waits for what it has changed, the next run finishes or takes back, and no more is asked of anybody. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { loseOverlay } from './lose-overlay.ts';
import { describeWithCoreDns } from './prepare-coredns.ts';
import { configPath, deploymentPath } from './stand-in/objects.ts';
import { type DnsCluster, lookup, startDnsCluster } from './start-dns-cluster.ts';
import { providerResolvers, publicResolvers } from './start-internet.ts';
import { takeClusterSnapshot } from './take-cluster-snapshot.ts';

const checks = ['coredns-placement', 'dns-forwarders'] as const;

describeWithCoreDns('a fix that is killed', { timeout: 240_000 }, (coredns) => {
  it.concurrent.each([0, 700, 1500])('%i ms into the wait for a reload', async (afterMs) => {
    // So long it waits at least.
    await using cluster = await startDnsCluster({ coredns, volumeDelayMs: 4_000 });
    await cluster.internet.block(publicResolvers, { by: 'reject' });
    const before = await takeClusterSnapshot(cluster);
    await killAfterWriting(cluster, configPath, afterMs);
    await expectSettled(cluster, before);
  });

  it.concurrent.each([0, 1500])('%i ms into the wait for a roll-out', async (afterMs) => {
    await using cluster = await startDnsCluster({ coredns, on: 'node-2' });
    await cluster.internet.block(publicResolvers, { by: 'reject' });
    await loseOverlay(cluster);
    const before = await takeClusterSnapshot(cluster);
    await killAfterWriting(cluster, deploymentPath, afterMs);
    await expectSettled(cluster, before);
  });

  it.concurrent('and whose new servers have died meanwhile', async () => {
    const config = { checks: { 'dns-forwarders': { reloadSeconds: 10 } } };
    await using cluster = await startDnsCluster({ coredns, config });
    await cluster.internet.block(publicResolvers, { by: 'reject' });
    const before = await takeClusterSnapshot(cluster);
    await killAfterWriting(cluster, configPath, 0);
    await cluster.internet.block(providerResolvers, { by: 'reject' });
    const settled = await cluster.first.doctor(['settle'], { timeoutMs: 90_000 });
    expect(settled.stdout).toMatch(/^run \S+ was killed at its work: reverted/);
    expect(await takeClusterSnapshot(cluster)).toEqual(before);
  });
});

/** Starts a fix, and kills it with SIGKILL so long after it has changed this object. */
async function killAfterWriting({ first, state }: DnsCluster, path: string, afterMs: number): Promise<void> {
  const written = new Promise<void>((resolve) => {
    const unsubscribe = state.subscribe(({ object }) => {
      if (object !== state.get(path)) return;
      unsubscribe();
      resolve();
    });
  });
  const doctor = first.startDoctor(['fix', ...checks, '--yes']);
  await Promise.race([written, doctor.ended]);
  await delay(afterMs);
  expect(await doctor.stop()).toMatchObject({ exitCode: 137 });
}

async function expectSettled(cluster: DnsCluster, before: object): Promise<void> {
  const { first } = cluster;
  const settled = await first.doctor(['settle'], { timeoutMs: 120_000 });
  expect(settled).toMatchObject({ exitCode: 0, stderr: '' });
  const [, outcome] = /^run \S+ was killed at its work: (done|reverted)/.exec(settled.stdout) ?? [];
  expect(outcome).toBeDefined();
  if (outcome === 'reverted') expect(await takeClusterSnapshot(cluster)).toEqual(before);
  else expect(await takeClusterSnapshot(cluster)).not.toEqual(before);

  // While no pod is ready nothing could be proven, and nothing is changed.
  await cluster.controlPlane.settled();
  // A CoreDNS that still runs what was taken back would not be seen to load it again.
  await cluster.controlPlane.kubelet.refreshed();
  await delay(6_000);
  const again = await runDoctor(first, ['fix', ...checks, '--yes'], { timeoutMs: 120_000 });
  expect(again).toMatchObject({ exitCode: 0 });
  expect(await lookup(first.pod, 'settled.example.org')).toBe('203.0.113.81');
  const { length } = cluster.writes();
  expect(await runDoctor(first, ['fix', ...checks, '--yes'], { timeoutMs: 120_000 })).toMatchObject({
    exitCode: 0,
    report: { fix: { outcome: 'nothing-to-do' } },
  });
  expect(cluster.writes()).toHaveLength(length);
}
