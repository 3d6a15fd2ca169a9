/** A fix that is wanted again as soon as it was taken back. */
import { expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { describeWithCoreDns } from './prepare-coredns.ts';
import { lookup, startDnsCluster } from './start-dns-cluster.ts';
import { publicResolvers } from './start-internet.ts';

describeWithCoreDns('a fix right behind an undo', { timeout: 180_000 }, (coredns) => {
  it('stands, though CoreDNS has never stopped to run it', async () => {
    const config = { checks: { 'dns-forwarders': { reloadSeconds: 25 } } };
    // kubelet brings what the undo has written only when the fix has written over it.
    await using cluster = await startDnsCluster({ coredns, config, volumeDelayMs: 15_000 });
    const { first, internet } = cluster;
    await internet.block(publicResolvers, { by: 'reject' });
    const fix = () => runDoctor(first, ['fix', 'dns-forwarders', '--yes'], { timeoutMs: 100_000 });
    const done = await fix();
    expect(done).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expect(await first.doctor(['undo', done.report.run.id, '--yes'])).toMatchObject({ exitCode: 0 });

    expect(await fix()).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expect(await lookup(first.pod, 'again.example.org')).toBe('203.0.113.81');
  });
});
