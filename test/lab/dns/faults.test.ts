/** Every way in which a server that CoreDNS forwards to can fail, on the wire. */
import { expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { recordedCorefile } from './cluster-objects.ts';
import { describeWithCoreDns } from './prepare-coredns.ts';
import { startDnsCluster } from './start-dns-cluster.ts';

const upstreams = [
  ...['185.12.64.1', '8.8.8.8', '8.8.4.4', '1.1.1.1', '1.0.0.1', '9.9.9.9', '149.112.112.112'],
  ...['208.67.222.222', '208.67.220.220', '192.0.2.1', '192.0.2.2', '192.0.2.3'],
] as const;

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

    const { exitCode, findings } = await runDoctor(first, ['check', 'dns-forwarders'], { timeoutMs: 60_000 });
    console.log(exitCode, findings.map(({code, severity, message}) => `${code} ${severity} ${message}`).join('\n'));
  });
});
