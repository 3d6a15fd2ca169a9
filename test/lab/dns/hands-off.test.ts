/** Where the doctor may not know, or cannot, it says so and changes nothing. */
import { expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { changeCorefile } from './change-corefile.ts';
import { describeWithCoreDns } from './prepare-coredns.ts';
import type { DnsNode } from './settle-dns-node.ts';
import { type DnsCluster, lookup, startDnsCluster } from './start-dns-cluster.ts';
import { publicResolvers } from './start-internet.ts';
import { takeClusterSnapshot } from './take-cluster-snapshot.ts';

const checks = ['coredns-health', 'coredns-placement', 'dns-forwarders', 'host-dns'] as const;

describeWithCoreDns('hands off', { timeout: 120_000 }, (coredns) => {
  it.concurrent("with an agent's credentials: what it may not read it names, the rest it judges", async () => {
    await using cluster = await startDnsCluster({ coredns });
    await cluster.internet.block(publicResolvers, { by: 'reject' });
    const { exitCode, report } = await tryToFix(cluster, cluster.second);
    expect(exitCode).toBe(1);
    const [health, placement, forwarders, host] = report.checks;
    expect(health).toMatchObject({
      outcome: 'skipped',
      reasons: expect.arrayContaining([
        'its pods: not judged (needs: list pods in kube-system)',
        'its Corefile and NodeHosts: not judged (needs: get configmaps in kube-system)',
      ]),
    });
    expect(placement).toMatchObject({
      outcome: 'ok',
      limits: [
        'where CoreDNS runs is not known (needs: list pods in kube-system): judged is whether cluster DNS answers here',
      ],
    });
    expect(forwarders).toMatchObject({
      findings: [
        {
          code: 'forwarders-dead',
          message: 'pods resolve no name outside the cluster: 10.43.0.10 gives no answer',
          remedy: { kind: 'none' },
        },
      ],
      limits: expect.arrayContaining([expect.stringContaining('needs: get configmaps in kube-system')]),
    });
    expect(host).toMatchObject({ outcome: 'ok' });
  });

  it.concurrent('while the API is away', async () => {
    await using cluster = await startDnsCluster({ coredns });
    await cluster.internet.block(publicResolvers, { by: 'reject' });
    await cluster.first.cutApi();
    const { exitCode, report } = await tryToFix(cluster, cluster.first);
    expect(exitCode).toBe(2);
    const unknown = {
      outcome: 'unknown',
      reasons: [expect.stringContaining('connection to 127.0.0.1:6443 refused')],
    };
    expect(report.checks).toMatchObject([unknown, unknown, unknown, { outcome: 'ok' }]);
  });

  it.concurrent('from a Corefile that does not parse, with which CoreDNS could not start again', async () => {
    await using cluster = await startDnsCluster({ coredns });
    const { first, controlPlane } = cluster;
    await cluster.internet.block(publicResolvers, { by: 'reject' });
    changeCorefile(cluster, (text) => text.slice(0, text.indexOf('fallthrough')));
    await controlPlane.kubelet.refreshed();
    expect(await lookup(first.pod, 'kubernetes.default.svc.cluster.local')).toBe('10.43.0.1');
    const { exitCode, findings } = await tryToFix(cluster, first);
    expect(exitCode).toBe(1);
    expect(findings.find(({ code }) => code === 'corefile-broken')).toMatchObject({
      severity: 'error',
      message: expect.stringContaining('line 6: "}" was expected for the "{" of line 5'),
    });
  });
});

/** Nothing is written, wherever. */
async function tryToFix(cluster: DnsCluster, node: DnsNode) {
  const before = await takeClusterSnapshot(cluster);
  const result = await runDoctor(node, ['fix', ...checks, '--yes'], { timeoutMs: 90_000 });
  expect(result.report.plan).toEqual([]);
  expect(cluster.writes()).toEqual([]);
  expect(await takeClusterSnapshot(cluster)).toEqual(before);
  return result;
}
