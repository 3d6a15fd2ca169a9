/** What becomes of a fix when k3s starts again and puts its own CoreDNS back. */
import { expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { recordedCorefile } from './cluster-objects.ts';
import { loseOverlay } from './lose-overlay.ts';
import { describeWithCoreDns } from './prepare-coredns.ts';
import { configPath, dataOf, readPods } from './stand-in/objects.ts';
import { type DnsCluster, lookup, startDnsCluster } from './start-dns-cluster.ts';
import { publicResolvers } from './start-internet.ts';
import { takeClusterSnapshot } from './take-cluster-snapshot.ts';

const api = 'kubernetes.default.svc.cluster.local';

describeWithCoreDns('a start of k3s after a fix', { timeout: 240_000 }, (coredns) => {
  it.concurrent('takes the servers of the Corefile away, and gives them to the next pod', async () => {
    await using cluster = await startDnsCluster({
      coredns,
      resolvConf: 'nameserver 127.0.0.53\n',
      fallback: 'nameserver 8.8.8.8\n',
    });
    const { first, internet, state, controlPlane } = cluster;
    await internet.block(publicResolvers, { by: 'reject' });
    const before = await takeClusterSnapshot(cluster);
    const run = await fix(cluster, 'dns-forwarders');
    expect(await lookup(first.pod, 'one.example.org')).toBe('203.0.113.81');

    await cluster.restartK3s();
    expect(dataOf(state, configPath)['Corefile']).toContain('    forward . /etc/resolv.conf\n');
    await controlPlane.replacePods();
    expect(await lookup(first.pod, 'two.example.org')).toBe('203.0.113.81');
    const again = await runDoctor(first, ['fix', 'dns-forwarders', '--yes'], patiently);
    expect(again).toMatchObject({ exitCode: 0, report: { plan: [] } });
    // The Corefile is not as the fix has left it, and is nobody's to put back; the files are.
    const undone = await runDoctor(first, ['undo', run, '--yes'], patiently);
    expect(undone).toMatchObject({ exitCode: 1, report: { fix: { outcome: 'done' } } });
    expect(undone.report.notices?.join()).toMatch(/left as it is: .*configmaps\/coredns/);
    expect(dataOf(state, configPath)['Corefile']).toContain('    forward . /etc/resolv.conf\n');
    expect(await takeClusterSnapshot(cluster)).toMatchObject({ filesOfFirst: Object(before).filesOfFirst });
  });

  it.concurrent('takes the pin away, and the next run sets it again', async () => {
    await using cluster = await startDnsCluster({ coredns, on: 'node-2' });
    const { first, state, controlPlane } = cluster;
    await loseOverlay(cluster);
    await fix(cluster, 'coredns-placement');
    expect(nodesOfPods(cluster)).toEqual(['node-1']);

    const node = state.get('/api/v1/nodes/node-1');
    if (node === undefined) throw new Error('there is a first node');
    state.put({ ...node, spec: { ...Object(node['spec']), unschedulable: true } });
    await cluster.restartK3s();
    await controlPlane.settled();
    expect(nodesOfPods(cluster)).toEqual(['node-2']);
    state.put(node);

    await fix(cluster, 'coredns-placement');
    expect(nodesOfPods(cluster)).toEqual(['node-1']);
    expect(await lookup(first.pod, api)).toBe('10.43.0.1');
  });

  it.concurrent('leaves a pin alone that was made to last, and NodeHosts', async () => {
    const config = { checks: { 'coredns-placement': { persist: 'skip-file' } } };
    await using cluster = await startDnsCluster({
      coredns,
      corefile: (await recordedCorefile()).replace('8.8.8.8 1.1.1.1', '/etc/resolv.conf'),
      on: 'node-2',
      config,
    });
    const { first, state, controlPlane } = cluster;
    await loseOverlay(cluster);
    const before = await takeClusterSnapshot(cluster);
    const { NodeHosts } = dataOf(state, configPath);
    const run = await fix(cluster, 'coredns-placement');
    await cluster.restartK3s();
    await controlPlane.settled();
    expect(nodesOfPods(cluster)).toEqual(['node-1']);
    expect(dataOf(state, configPath)['NodeHosts']).toBe(NodeHosts);
    expect(await lookup(first.pod, api)).toBe('10.43.0.1');
    const again = await runDoctor(first, ['fix', 'coredns-placement', '--yes'], patiently);
    expect(again).toMatchObject({ exitCode: 0, report: { plan: [] } });

    const undone = await first.doctor(['undo', run, '--yes'], patiently);
    expect(undone).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await takeClusterSnapshot(cluster)).toEqual(before);
  });
});

const patiently = { timeoutMs: 120_000 } as const;

async function fix({ first }: DnsCluster, check: string): Promise<string> {
  const { exitCode, report } = await runDoctor(first, ['fix', check, '--yes'], patiently);
  expect({ exitCode, fix: report.fix }).toMatchObject({ exitCode: 0, fix: { outcome: 'done' } });
  return report.run.id;
}

function nodesOfPods({ state }: DnsCluster): readonly (string | undefined)[] {
  return readPods(state).map(({ node }) => node);
}
