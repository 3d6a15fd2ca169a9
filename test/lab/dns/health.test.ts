/** A CoreDNS that would not start again, or does not: found before and after, and told apart. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { changeCorefile } from './change-corefile.ts';
import { newerCorefile } from './cluster-objects.ts';
import { describeWithCoreDns } from './prepare-coredns.ts';
import { customPath, readPods } from './stand-in/objects.ts';
import { type DnsCluster, lookup, startDnsCluster } from './start-dns-cluster.ts';

const name = 'kubernetes.default.svc.cluster.local';

describeWithCoreDns('what CoreDNS itself does not tell', { timeout: 120_000 }, (coredns) => {
  it.concurrent('a broken custom file works until the pod ends: found before, and after', async () => {
    await using cluster = await startDnsCluster({ coredns, corefile: await quickCorefile(), custom: {} });
    const { first, state, controlPlane } = cluster;
    expect(await findingsOf(cluster)).toEqual([]);

    const custom = state.get(customPath);
    if (custom === undefined) throw new Error('there is no coredns-custom');
    state.put({ ...custom, data: { 'a.override': 'log\nfowrard . 185.12.64.1\n' } });
    const path = '/etc/coredns/custom/a.override';
    const hasRefused = `plugin/reload: Corefile changed but reload failed: starting with listener file descriptors: ${path}:2`;
    await until(async () => logOf(cluster).includes(hasRefused));
    expect(await lookup(first.pod, name)).toBe('10.43.0.1');
    expect(await findingsOf(cluster)).toMatchObject([
      {
        code: 'coredns-custom-broken',
        severity: 'error',
        effect: 'dormant',
        message: expect.stringContaining(`${path}, line 2: there is no plugin "fowrard"`),
        evidence: expect.arrayContaining([
          expect.objectContaining({ observed: 'coredns_reload_failed_total 1' }),
          expect.objectContaining({
            observed: `${path}:2 - Error during parsing: Unknown directive 'fowrard'`,
          }),
        ]),
      },
    ]);

    const [pod] = readPods(state);
    await controlPlane.kubelet.killContainer(pod?.name ?? '');
    await until(async () => logOf(cluster).startsWith('entered') && !logOf(cluster).includes('[INFO]'));
    expect(await lookup(first.pod, name)).not.toBe('10.43.0.1');
    const after = await findingsOf(cluster);
    expect(after.map(({ code, effect }) => `${code} ${effect}`)).toEqual([
      'coredns-not-ready loses',
      'coredns-custom-broken loses',
      'coredns-restarts idle',
    ]);

    state.put({ ...custom, data: {} });
    await until(async () => (await lookup(first.pod, name)) === '10.43.0.1');
    await controlPlane.settled();
    expect((await findingsOf(cluster)).map(({ code }) => code)).toEqual(['coredns-restarts']);
  });

  it.concurrent('a reload that failed and was made good is no fault, though the counter stays', async () => {
    await using cluster = await startDnsCluster({ coredns, corefile: await quickCorefile(), custom: {} });
    const { state } = cluster;
    const custom = state.get(customPath);
    if (custom === undefined) throw new Error('there is no coredns-custom');
    state.put({ ...custom, data: { 'a.override': 'cache 5\n' } });
    await until(async () => logOf(cluster).includes('reload failed'));
    expect((await findingsOf(cluster)).map(({ code }) => code)).toEqual(['coredns-custom-broken']);
    state.put({ ...custom, data: { 'a.override': 'log\n' } });
    await until(async () => logOf(cluster).includes('Reloading complete'));
    expect(await findingsOf(cluster)).toEqual([]);
  });

  it.concurrent('a loop: CoreDNS halts, and its own words say which zone', async () => {
    await using cluster = await startDnsCluster({ coredns, corefile: await quickCorefile() });
    changeCorefile(cluster, (text) => text.replace(/forward \. .*/, 'forward . 127.0.0.53'));
    // It looks for loops once, when it loads: on a busy machine its own question may have died on the way.
    await until(async (tries) => {
      if (tries % 60 === 59)
        changeCorefile(cluster, (text) => text.replace(/cache \d+/, `cache ${30 + tries}`));
      return logOf(cluster).includes('[FATAL] plugin/loop: Loop');
    });
    await until(async () => readPods(cluster.state).every(({ isReady }) => !isReady));
    const loop = (await findingsOf(cluster)).find(({ code }) => code === 'coredns-loop');
    expect(loop).toMatchObject({
      subject: 'zone .',
      effect: 'loses',
      message: expect.stringMatching(
        /to itself: 127\.0\.0\.53 \(Corefile, line \d+\) · its plugin loop halts it/,
      ),
      evidence: [
        { observed: expect.stringContaining('detected for zone "."') },
        { source: expect.stringMatching(/^Corefile/) },
      ],
    });
  });
});

/** Looked at every two seconds. */
async function quickCorefile(): Promise<string> {
  return (await newerCorefile()).replace(/^( *)reload$/m, '$1reload 2s 1s');
}

async function findingsOf({ first }: DnsCluster) {
  const { findings } = await runDoctor(first, ['check', 'coredns-health'], { timeoutMs: 60_000 });
  return findings;
}

function logOf({ state, controlPlane }: DnsCluster): string {
  return controlPlane.kubelet.readLog(`${readPods(state)[0]?.path}/log`) ?? '';
}

async function until(isSo: (tries: number) => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await isSo(tries)) return;
    await delay(150);
  }
  throw new Error('it did not come about');
}
