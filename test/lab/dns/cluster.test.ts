/** The cluster itself: what the tests that stand on it take for granted. */
import { expect, it } from 'vitest';
import { describeWithCoreDns } from './prepare-coredns.ts';
import { lookup, startDnsCluster } from './start-dns-cluster.ts';

describeWithCoreDns('a cluster with CoreDNS', { timeout: 60_000, orDnsmasq: true }, (coredns) => {
  it('answers for the cluster and for the world, on both nodes', async () => {
    await using cluster = await startDnsCluster({ coredns });
    for (const { pod } of [cluster.first, cluster.second]) {
      expect(await lookup(pod, 'kubernetes.default.svc.cluster.local')).toBe('10.43.0.1');
      expect(await lookup(pod, 'example.org')).toBe('203.0.113.81');
      expect(await lookup(pod, 'node-2')).toBe('192.168.60.12');
      expect(await lookup(pod, 'nowhere.example')).toBe('ENOTFOUND');
    }
  });
});
