/** CoreDNS pinned: by order, again after k3s took the pin away, for good, and not at all where it cannot be proven. */
import { expect, it } from 'vitest';
import { configure, runDoctor } from '../ghosts/run-doctor.ts';
import { newerCorefile } from './cluster-objects.ts';
import { describeWithCoreDns } from './prepare-coredns.ts';
import { readDeployment, readPods } from './stand-in/objects.ts';
import { type DnsCluster, lookup, startDnsCluster } from './start-dns-cluster.ts';
import { takeClusterSnapshot } from './take-cluster-snapshot.ts';

const api = 'kubernetes.default.svc.cluster.local';
const manifests = '/var/lib/rancher/k3s/server/manifests';
const pinLine = '        "node-role.kubernetes.io/control-plane": "true"\n';

describeWithCoreDns('where CoreDNS runs', { timeout: 180_000 }, (coredns) => {
  it.concurrent('reassert: k3s takes the pin away, and the next run sets it again', async () => {
    await using cluster = await startDnsCluster({ coredns, on: 'node-2' });
    await loseOverlay(cluster);
    await fix(cluster);
    expect(nodesOf(cluster)).toEqual(['node-1']);
    expect(await lookup(cluster.first.pod, api)).toBe('10.43.0.1');

    await startK3sAgain(cluster);
    expect(nodesOf(cluster)).toEqual(['node-2']);
    expect(await lookup(cluster.first.pod, api)).toBe('ETIMEOUT');
    await fix(cluster);
    expect(nodesOf(cluster)).toEqual(['node-1']);
    expect(await lookup(cluster.first.pod, api)).toBe('10.43.0.1');
  });

  it.concurrent('skip-file: a manifest of ours takes the place of k3s’, and undo takes it away', async () => {
    await using cluster = await startDnsCluster({
      coredns,
      on: 'node-2',
      corefile: await newerCorefile(),
      config: placement({ persist: 'skip-file' }),
    });
    const { first } = cluster;
    await loseOverlay(cluster);
    const before = await takeClusterSnapshot(cluster);
    const run = await fix(cluster);
    expect(nodesOf(cluster)).toEqual(['node-1']);
    const theirs = await first.readFile(`${manifests}/coredns.yaml`);
    const ours = await first.readFile(`${manifests}/coredns-k3s-doctor.yaml`);
    expect(ours.replace(/^(#.*\n)+/, '').replace(pinLine, '')).toBe(theirs);
    expect(ours).toContain(pinLine);
    const modes = await first.run(['sh', '-c', `stat -c '%a %n' ${manifests}/*`]);
    expect(modes.trim().split('\n')).toEqual([
      `600 ${manifests}/coredns-k3s-doctor.yaml`,
      `600 ${manifests}/coredns.yaml`,
      `600 ${manifests}/coredns.yaml.skip`,
    ]);
    await expectNothingToDo(cluster);

    const undone = await first.doctor(['undo', run, '--yes'], patiently);
    expect(undone).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await takeClusterSnapshot(cluster)).toEqual(before);
  });

  it.concurrent('skip-file: a Corefile that may have to be changed first is for the next run', async () => {
    const corefile = (await newerCorefile()).replace(/^ +import .*override\n/m, '');
    await using cluster = await startDnsCluster({
      coredns,
      on: 'node-2',
      corefile,
      config: placement({ persist: 'skip-file' }),
    });
    await loseOverlay(cluster);
    await fix(cluster);
    const files = async () => (await cluster.first.run(['ls', manifests])).trim().split('\n');
    expect(await files()).toEqual(['coredns.yaml']);
    await fix(cluster);
    expect(await files()).toEqual(['coredns-k3s-doctor.yaml', 'coredns.yaml', 'coredns.yaml.skip']);
    await expectNothingToDo(cluster);
  });

  it.concurrent('by order: to one node, and to another one when the order is another', async () => {
    const of = (...nodes: readonly string[]) => placement({ nodes });
    await using cluster = await startDnsCluster({ coredns, on: 'node-1', config: of('node-2') });
    const { first, state } = cluster;
    await fix(cluster);
    expect(nodesOf(cluster)).toEqual(['node-2']);
    await expectNothingToDo(cluster);

    await configure(first, of('node-1'));
    await fix(cluster);
    expect(nodesOf(cluster)).toEqual(['node-1']);
    expect(readDeployment(state)?.spec.template.spec.nodeSelector).toEqual({
      'kubernetes.io/os': 'linux',
      'kubernetes.io/hostname': 'node-1',
    });
    expect(await lookup(first.pod, api)).toBe('10.43.0.1');
  });

  it.concurrent('a roll-out that does not come about is taken back', async () => {
    await using cluster = await startDnsCluster({
      coredns,
      on: 'node-1',
      config: placement({ nodes: ['node-2'], rolloutSeconds: 10 }),
    });
    const { first, state, controlPlane } = cluster;
    const before = await takeClusterSnapshot(cluster);
    // Of the time before a node was ready: it should go any moment, and does not.
    putSpec(state, { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] }, 'node-2');
    const failed = await runDoctor(first, ['fix', 'coredns-placement', '--yes'], patiently);
    expect(failed).toMatchObject({
      exitCode: 3,
      report: { fix: { outcome: 'failed', rollback: 'complete' } },
    });
    await controlPlane.settled();
    expect(await takeClusterSnapshot(cluster)).toEqual(before);
    expect(nodesOf(cluster)).toEqual(['node-1']);
    expect(await lookup(first.pod, api)).toBe('10.43.0.1');
  });

  it.concurrent('a configuration with which no new pod would start holds it', async () => {
    const custom = { 'broken.override': 'cache {\n' };
    await using cluster = await startDnsCluster({ coredns, on: 'node-2', custom: {} });
    const { first, state } = cluster;
    await loseOverlay(cluster);
    const path = '/api/v1/namespaces/kube-system/configmaps/coredns-custom';
    const config = state.get(path);
    if (config === undefined) throw new Error('there is one');
    state.put({ ...config, data: custom });
    const { findings, report } = await runDoctor(first, ['fix', 'coredns-placement', '--yes'], patiently);
    expect(report).toMatchObject({ plan: [], fix: { outcome: 'not-applied' } });
    expect(findings[0]).toMatchObject({
      code: 'coredns-unreachable',
      remedy: { kind: 'held', reason: expect.stringContaining('a new pod would not start') },
    });
    expect(cluster.writes()).toEqual([]);
    expect(nodesOf(cluster)).toEqual(['node-2']);
  });
});

const patiently = { timeoutMs: 120_000 } as const;

function placement(settings: object): { readonly checks: object } {
  return { checks: { 'coredns-placement': settings } };
}

function nodesOf({ state }: DnsCluster): readonly (string | undefined)[] {
  return readPods(state).map(({ node }) => node);
}

/** Returns the run's id. */
async function fix({ first, controlPlane }: DnsCluster): Promise<string> {
  const fixed = await runDoctor(first, ['fix', 'coredns-placement', '--yes'], patiently);
  expect(fixed).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
  await controlPlane.settled();
  return fixed.report.run.id;
}

async function expectNothingToDo(cluster: DnsCluster): Promise<void> {
  const fixed = await takeClusterSnapshot(cluster);
  const { length } = cluster.writes();
  const again = await runDoctor(cluster.first, ['fix', 'coredns-placement', '--yes'], patiently);
  expect(again).toMatchObject({ exitCode: 0, report: { plan: [], fix: { outcome: 'nothing-to-do' } } });
  expect(cluster.writes().slice(length)).toEqual([]);
  expect(await takeClusterSnapshot(cluster)).toEqual(fixed);
}

async function loseOverlay({ first }: DnsCluster): Promise<void> {
  await first.run([
    ...['bridge', 'fdb', 'replace', '0e:00:00:00:00:02', 'dev', 'flannel.1', 'dst', '172.31.39.213'],
  ]);
}

/** It applies its own manifest; as chance has it, CoreDNS goes to the other node. */
async function startK3sAgain({ state, controlPlane }: DnsCluster): Promise<void> {
  const deployment = readDeployment(state);
  if (deployment === undefined) throw new Error('there is a Deployment');
  putSpec(state, { unschedulable: true });
  const { object, spec } = deployment;
  const nodeSelector = { 'kubernetes.io/os': 'linux' };
  state.put({
    ...object,
    spec: { ...spec, template: { ...spec.template, spec: { ...spec.template.spec, nodeSelector } } },
  });
  await controlPlane.settled();
  putSpec(state, { unschedulable: false });
}

function putSpec(state: DnsCluster['state'], spec: object, name = 'node-1'): void {
  const node = state.get(`/api/v1/nodes/${name}`);
  if (node === undefined) throw new Error(`there is a node ${name}`);
  state.put({ ...node, spec: { ...Object(node['spec']), ...spec } });
}
