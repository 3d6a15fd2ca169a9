/** Every way in which a server that CoreDNS forwards to can fail, on the wire. */
import { expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { recordedCorefile } from './cluster-objects.ts';
import { describeWithCoreDns } from './prepare-coredns.ts';
import { configPath, dataOf } from './stand-in/objects.ts';
import { startDnsCluster } from './start-dns-cluster.ts';
import { publicResolvers } from './start-internet.ts';

const upstreams = [
  ...['185.12.64.1', '8.8.8.8', '8.8.4.4', '1.1.1.1', '1.0.0.1', '9.9.9.9', '149.112.112.112'],
  ...['208.67.222.222', '208.67.220.220', '192.0.2.1', '192.0.2.2', '192.0.2.3'],
] as const;

describeWithCoreDns('a resolver of the host that knows no name at all', { timeout: 120_000 }, (coredns) => {
  it('is not put beside one that does', async () => {
    await using cluster = await startDnsCluster({
      coredns,
      resolvConf: 'nameserver 192.0.2.7\nnameserver 185.12.64.1\n',
      odd: { '192.0.2.7': 'nxdomain' },
    });
    const { first, internet } = cluster;
    await internet.block(publicResolvers, { by: 'reject' });
    expect(await runDoctor(first, ['fix', 'dns-forwarders', '--yes'], { timeoutMs: 60_000 })).toMatchObject({
      exitCode: 0,
    });
    expect(dataOf(cluster.state, configPath)['Corefile']).toContain('forward . 185.12.64.1\n');
  });
});

describeWithCoreDns('servers that fail each in its own way', { timeout: 120_000 }, (coredns) => {
  it('are told apart in one run, and one that answers is enough', async () => {
    await using cluster = await startDnsCluster({
      coredns,
      corefile: (await recordedCorefile()).replace('8.8.8.8 1.1.1.1', upstreams.join(' ')),
      odd: {
        '9.9.9.9': 'wrong-id',
        '149.112.112.112': 'servfail',
        '208.67.222.222': 'refused',
        '208.67.220.220': 'truncates',
        '192.0.2.1': 'slow',
        '192.0.2.2': 'udp-only',
        '192.0.2.3': 'wrong-name',
      },
    });
    const { first, internet } = cluster;
    await internet.block(['8.8.8.8'], { by: 'drop', protocols: ['udp'] });
    await internet.block(['8.8.4.4'], { by: 'drop', protocols: ['tcp'] });
    await internet.block(['1.1.1.1'], { by: 'reject' });
    await internet.block(['1.0.0.1'], { by: 'drop' });

    const { findings } = await runDoctor(first, ['check', 'dns-forwarders'], { timeoutMs: 60_000 });
    const ofServers = findings.filter(({ code }) => code.startsWith('forwarder-'));
    expect(
      ofServers.map(({ code, message }) => `${code}: ${message.replace(' (Corefile, line 15)', '')}`),
    ).toEqual([
      'forwarder-half: 8.8.8.8 answers over TCP alone, and pods ask over UDP',
      expect.stringMatching(/^forwarder-half: 8.8.4.4 answers over UDP alone: long answers/),
      expect.stringMatching(/^forwarder-down: 1.1.1.1 is rejected: /),
      expect.stringMatching(/^forwarder-down: 1.0.0.1 does not answer: /),
      expect.stringMatching(/^forwarder-wrong-answer: 9.9.9.9 sends over UDP and TCP what is no answer/),
      expect.stringMatching(/^forwarder-down: 149.112.112.112 can resolve nothing \(SERVFAIL\)/),
      expect.stringMatching(/^forwarder-down: 208.67.222.222 refuses to answer/),
      // 208.67.220.220 cuts its answers short over UDP, as it should when they are long.
      expect.stringMatching(/^forwarder-slow: 192.0.2.1 takes 1.\d s to answer/),
      expect.stringMatching(/^forwarder-half: 192.0.2.2 answers over UDP alone/),
      expect.stringMatching(/^forwarder-wrong-answer: 192.0.2.3 sends over UDP and TCP what is no answer/),
    ]);
    expect(ofServers.map(({ severity }) => severity)).not.toContain('error');
    expect(findings.filter(({ remedy }) => remedy.kind === 'planned')).toEqual([]);
  });
});
