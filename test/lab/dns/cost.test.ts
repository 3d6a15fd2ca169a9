/** What a look asks of the API. */
import { expect, it } from 'vitest';
import { describeWithCoreDns } from './prepare-coredns.ts';
import { startDnsCluster } from './start-dns-cluster.ts';

describeWithCoreDns('what a check of everything costs', { timeout: 120_000, orDnsmasq: true }, (coredns) => {
  it('is one list for each kind, one question for each object, and nothing twice', async () => {
    await using cluster = await startDnsCluster({ coredns });
    const before = cluster.api.requests.length;

    await cluster.first.doctor(['check'], { timeoutMs: 90_000 });

    const asked = cluster.api.requests.slice(before).filter(({ user }) => user === 'system:admin');
    const paths = asked.map(({ method, path }) => `${method} ${path}`);
    expect(paths).toContain('GET /api/v1/nodes?limit=500');
    expect(paths.filter((path, index) => paths.indexOf(path) !== index)).toEqual([]);
    const lists = paths.map((path) => path.replace(/\?.*/, '')).filter((path) => /s$/.test(path));
    expect(lists.filter((path, index) => lists.indexOf(path) !== index)).toEqual([]);
    expect(asked.length).toBeLessThan(12);
  });
});
