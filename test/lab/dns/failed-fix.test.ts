/** A fix that does not come to a good end is taken back. */
import { expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { changeCorefile } from './change-corefile.ts';
import { loseOverlay } from './lose-overlay.ts';
import { describeWithCoreDns } from './prepare-coredns.ts';
import { deploymentPath, readPods } from './stand-in/objects.ts';
import { type DnsCluster, lookup, startDnsCluster } from './start-dns-cluster.ts';
import { providerResolvers, publicResolvers } from './start-internet.ts';
import { takeClusterSnapshot } from './take-cluster-snapshot.ts';

const api = 'kubernetes.default.svc.cluster.local';

describeWithCoreDns('a fix that fails', { timeout: 120_000 }, (coredns) => {
  it.concurrent('because nothing can be scheduled where CoreDNS is pinned to', async () => {
    const config = { checks: { 'coredns-placement': { rolloutSeconds: 10 } } };
    await using cluster = await startDnsCluster({ coredns, on: 'node-2', config });
    const { first, second, state, controlPlane } = cluster;
    await loseOverlay(cluster);
    const before = await takeClusterSnapshot(cluster);
    // Between the plan and the roll-out somebody cordons the only server.
    const unsubscribe = state.subscribe(({ object }) => {
      if (object.kind !== 'Deployment') return;
      unsubscribe();
      const node = state.get('/api/v1/nodes/node-1');
      if (node !== undefined) state.put({ ...node, spec: { ...Object(node['spec']), unschedulable: true } });
    });
    await expectTakenBack(cluster, 'coredns-placement');
    expect(await takeClusterSnapshot(cluster)).toEqual(before);
    expect(state.get(deploymentPath)?.metadata.generation).toBe(3);
    await controlPlane.settled();
    expect(readPods(state)).toMatchObject([{ node: 'node-2', isReady: true }]);
    expect(await lookup(second.pod, api)).toBe('10.43.0.1');
    expect(await lookup(first.pod, api)).toBe('ETIMEOUT');
  });

  it.concurrent('because the new servers die while CoreDNS loads them', async () => {
    const config = { checks: { 'dns-forwarders': { reloadSeconds: 10 } } };
    await using cluster = await startDnsCluster({ coredns, config });
    const { internet, state } = cluster;
    await internet.block(publicResolvers, { by: 'reject' });
    const before = await takeClusterSnapshot(cluster);
    const died = new Promise<void>((resolve) => {
      const unsubscribe = state.subscribe(({ object }) => {
        if (object.kind !== 'ConfigMap') return;
        unsubscribe();
        resolve(internet.block(providerResolvers, { by: 'reject' }));
      });
    });
    await expectTakenBack(cluster, 'dns-forwarders');
    await died;
    expect(await takeClusterSnapshot(cluster)).toEqual(before);
  });

  it.concurrent('because CoreDNS takes no configuration any more', async () => {
    await using cluster = await startDnsCluster({ coredns });
    const { first, internet } = cluster;
    // It parses, and plugin `cache` will not have it.
    changeCorefile(cluster, (text) => text.replace('cache 30', 'cache 30 {\n      nonsense\n    }'));
    await cluster.controlPlane.kubelet.refreshed();
    await internet.block(publicResolvers, { by: 'reject' });
    const before = await takeClusterSnapshot(cluster);
    await expectTakenBack(cluster, 'dns-forwarders');
    expect(await takeClusterSnapshot(cluster)).toEqual(before);
    expect(await lookup(first.pod, api)).toBe('10.43.0.1');
  });
});

async function expectTakenBack({ first }: DnsCluster, check: string): Promise<void> {
  const { exitCode, report } = await runDoctor(first, ['fix', check, '--yes'], { timeoutMs: 90_000 });
  expect({ exitCode, fix: report.fix }).toMatchObject({
    exitCode: 3,
    fix: { outcome: 'failed', rollback: 'complete' },
  });
}
