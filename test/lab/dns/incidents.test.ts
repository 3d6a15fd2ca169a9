/** The two incidents with DNS, as they were, and mended. */
import { expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { newerCorefile } from './cluster-objects.ts';
import { loseOverlay } from './lose-overlay.ts';
import { describeWithCoreDns } from './prepare-coredns.ts';
import { configPath, customPath, dataOf, readPods } from './stand-in/objects.ts';
import { type DnsCluster, lookup, startDnsCluster } from './start-dns-cluster.ts';
import { publicResolvers } from './start-internet.ts';
import { takeClusterSnapshot } from './take-cluster-snapshot.ts';

const checks = ['coredns-placement', 'dns-forwarders'] as const;
const api = 'kubernetes.default.svc.cluster.local';

describeWithCoreDns('DNS in a cluster of two', { timeout: 180_000, orDnsmasq: true }, (coredns) => {
  it.concurrent('forwarders that the provider blocks, ahead of the import as it was', async () => {
    await using cluster = await startDnsCluster({ coredns });
    const { first, second, internet, state } = cluster;
    expect(await lookup(first.pod, 'before.example.org')).toBe('203.0.113.81');
    await internet.block(publicResolvers, { by: 'drop' });
    const before = await takeClusterSnapshot(cluster);
    expect(await lookup(second.pod, 'example.org')).toBe('ETIMEOUT');

    const text = await explanation(first);
    expect(text).toContain('✗ dns-forwarders  Something is wrong with what CoreDNS forwards to');
    expect(text).toContain(
      'pods resolve no name outside the cluster: 8.8.8.8 and 1.1.1.1 (Corefile, line 15) do not answer',
    );
    expect(text).toMatch(/port 53 is blocked outwards: .*, 185\.12\.64\.1 does/);
    expect(text).toContain('185.12.64.1 and 185.12.64.2 (resolver of this host), just seen to answer');
    expect(cluster.writes()).toEqual([]);

    const { Corefile = '', ...others } = dataOf(state, configPath);
    const run = await fix(cluster);
    await expectResolving(cluster);
    expect(dataOf(state, configPath)).toEqual({
      Corefile: Corefile.replace('forward . 8.8.8.8 1.1.1.1', 'forward . 185.12.64.1 185.12.64.2'),
      ...others,
    });
    expect(state.get(customPath)).toBeUndefined();
    // For when k3s puts its own Corefile there again.
    expect(await first.readFile('/etc/rancher/k3s/k3s-doctor-resolv.conf')).toContain(
      '\nnameserver 185.12.64.1\nnameserver 185.12.64.2\n',
    );
    expect(await first.readFile('/etc/rancher/k3s/config.yaml.d/50-k3s-doctor.yaml')).toContain(
      '\nresolv-conf: /etc/rancher/k3s/k3s-doctor-resolv.conf\n',
    );
    await expectNothingToDo(cluster);
    await expectUndone(cluster, run, before);
  });

  it.concurrent('the 8.8.8.8 of k3s itself, behind the import as it is today', async () => {
    const theirs = {
      'corp.server': 'corp.example:53 {\n    forward . 185.12.64.2\n}\n',
      'notes.txt': 'by hand\n',
    };
    await using cluster = await startDnsCluster({
      coredns,
      corefile: await newerCorefile(),
      custom: theirs,
      resolvConf: 'nameserver 127.0.0.53\n',
      fallback: 'nameserver 8.8.8.8\n',
    });
    const { first, internet, state } = cluster;
    await internet.block(publicResolvers, { by: 'reject' });
    const before = await takeClusterSnapshot(cluster);

    const text = await explanation(first, 'host-dns');
    expect(text).toContain('pods resolve no name outside the cluster: 8.8.8.8 (');
    expect(text).toContain('127.0.0.53');

    const corefile = dataOf(state, configPath);
    const run = await fix(cluster);
    await expectResolving(cluster);
    expect(dataOf(state, configPath)).toEqual(corefile);
    expect(dataOf(state, customPath)).toEqual({
      ...theirs,
      'k3s-doctor-upstream.override': expect.stringContaining('\nforward . 185.12.64.1 185.12.64.2\n'),
    });
    await expectNothingToDo(cluster);
    await expectUndone(cluster, run, before);
  });

  it.concurrent('CoreDNS on a node that the overlay does not reach, and its forwarders blocked', async () => {
    await using cluster = await startDnsCluster({
      coredns,
      on: 'node-2',
      corefile: await newerCorefile('8.8.8.8 1.1.1.1'),
    });
    const { first, second, internet, state } = cluster;
    await internet.block(publicResolvers, { by: 'reject' });
    await loseOverlay(cluster);
    const before = await takeClusterSnapshot(cluster);
    expect(await lookup(first.pod, api)).toBe('ETIMEOUT');

    const text = await explanation(first);
    expect(text).toContain(
      'CoreDNS (10.42.2.10) runs on node node-2, which this node does not reach over the overlay: pods on this node resolve no name',
    );
    expect(text).toContain('pods resolve no name outside the cluster: 8.8.8.8 and 1.1.1.1 (Corefile, line ');

    const { NodeHosts } = dataOf(state, configPath);
    const run = await fix(cluster);
    expect(readPods(state)).toMatchObject([{ node: 'node-1', isReady: true }]);
    expect(await lookup(first.pod, api)).toBe('10.43.0.1');
    expect(await lookup(first.pod, 'fixed.example.org')).toBe('203.0.113.81');
    // The overlay is still what it was: that is flannel-vtep's business.
    expect(await lookup(second.pod, api)).toBe('ETIMEOUT');
    expect(dataOf(state, configPath)).toMatchObject({ NodeHosts });
    // It was made for this one key, and goes with it.
    expect(Object.keys(dataOf(state, customPath))).toEqual(['k3s-doctor-upstream.override']);
    await expectNothingToDo(cluster);
    await expectUndone(cluster, run, before);
    await cluster.controlPlane.settled();
  });
});

/** What `doctor check` says, each of its paragraphs on one line. */
async function explanation({ doctor }: DnsCluster['first'], ...more: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await doctor(['check', ...checks, ...more], patiently);
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
  return stdout.replace(/\n +/g, ' ');
}

/** Returns the run's id. */
async function fix({ first }: DnsCluster): Promise<string> {
  const fixed = await runDoctor(first, ['fix', ...checks, '--yes'], patiently);
  expect(fixed).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
  return fixed.report.run.id;
}

const patiently = { timeoutMs: 120_000 } as const;

async function expectResolving({ first, second }: DnsCluster): Promise<void> {
  for (const { pod } of [first, second]) {
    expect(await lookup(pod, api)).toBe('10.43.0.1');
    expect(await lookup(pod, 'fixed.example.org')).toBe('203.0.113.81');
    expect(await lookup(pod, 'node-2')).toBe('192.168.60.12');
  }
}

/** The second run: nothing is written, neither through the API nor to a file. */
async function expectNothingToDo(cluster: DnsCluster): Promise<void> {
  const fixed = await takeClusterSnapshot(cluster);
  const { length } = cluster.writes();
  const again = await runDoctor(cluster.first, ['fix', ...checks, '--yes'], patiently);
  expect(again).toMatchObject({ exitCode: 0, report: { plan: [], fix: { outcome: 'nothing-to-do' } } });
  expect(cluster.writes().slice(length)).toEqual([]);
  expect(await takeClusterSnapshot(cluster)).toEqual(fixed);
}

async function expectUndone(cluster: DnsCluster, run: string, before: object): Promise<void> {
  const undone = await cluster.first.doctor(['undo', run, '--yes'], patiently);
  expect(undone).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await takeClusterSnapshot(cluster)).toEqual(before);
}
