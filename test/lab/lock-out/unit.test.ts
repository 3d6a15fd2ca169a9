/** The guard in the sandbox of the unit that removes ghosts, under a real systemd. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectUnchanged } from '../ghosts/expect-only-gone.ts';
import { configure } from '../ghosts/run-doctor.ts';
import { describeWithSystemd } from '../systemd/describe-with-systemd.ts';
import { startHauntedDebian } from '../systemd/haunted-debian.ts';
import { type Image, prepareImage } from '../systemd/prepare-image.ts';
import { serveSsh } from '../ufw-overlay/watch-ssh.ts';

let image: Image;
beforeAll(async () => {
  image = await prepareImage();
}, 300_000);
afterAll(() => image?.remove());

const service = 'k3s-iptables-cleanup.service';

describeWithSystemd('k3s-iptables-cleanup.service', () => {
  it('leaves what SSH comes in by, says so, and removes it when there is another way', async () => {
    await using debian = await startHauntedDebian(image);
    await serveSsh(debian);
    await configure(debian, { commands: { crictl: debian.crictl }, guards: { strikes: 1 } });
    const shut = [
      '*filter',
      '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
      '-A INPUT -i lo -j ACCEPT',
      '-A KUBE-NODEPORTS -p tcp -m comment --comment "default/lb:http health check node port" -m tcp --dport 22 -j ACCEPT',
      'COMMIT\n',
    ].join('\n');
    await debian.restore('legacy', 'ipv4', shut, { noFlush: true });
    await debian.run(['iptables-legacy', '-P', 'INPUT', 'DROP']);
    const before = await debian.snapshot();

    expect((await debian.systemctl('start', service)).exitCode).toBe(1);

    expectUnchanged(before, await debian.snapshot());
    const said = await debian.run(['journalctl', '--unit', service, '--output=cat', '--no-pager']);
    expect(said).toMatch(
      /held: it could lock people out of this node: iptables-legacy filter: .* would be dropped by the policy of INPUT/,
    );

    await debian.run(['iptables-legacy', '-A', 'INPUT', '-p', 'tcp', '--dport', '22', '-j', 'ACCEPT']);
    expect(await debian.systemctl('start', service)).toMatchObject({ exitCode: 0 });
    expect((await debian.snapshot()).legacyIpv4).not.toContain('KUBE-');
  });
});
