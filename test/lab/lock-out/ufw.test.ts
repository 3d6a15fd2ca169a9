/** A rule of ours in a real UFW, by which somebody comes in who is no node any more: it stays. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { nodeList } from '../overlay/node-objects.ts';
import { specOf } from '../overlay/overlay-member.ts';
import { describeWithSystemd } from '../systemd/describe-with-systemd.ts';
import { type Image, prepareImage } from '../systemd/prepare-image.ts';
import { configureOverlay, startWalledOverlay, ufw } from '../ufw-overlay/walled-overlay.ts';

let image: Image;
beforeAll(async () => {
  image = await prepareImage();
}, 300_000);
afterAll(() => image?.remove());

describeWithSystemd('a UFW that lets SSH in by a rule of ours alone', () => {
  it('keeps that rule, whoever has left the cluster, and loses the others', async () => {
    await using overlay = await startWalledOverlay(image);
    const { first, second } = overlay;
    const isOpen = async () => (await second.http(first.addresses.eth0.ipv4, 22, { timeoutMs: 400 })).ok;
    const ours = 'proto tcp from 192.168.60.12 to any port';
    await first.run(['ufw', 'allow', ...`${ours} 22 comment`.split(' '), 'k3s-doctor: peer, SSH']);
    await first.run(['ufw', 'allow', ...`${ours} 9999 comment`.split(' '), 'k3s-doctor: peer, other']);
    await ufw(first, 'delete allow 22/tcp');
    await first.answer('/api/v1/nodes', nodeList([specOf(1, false)]));
    await configureOverlay(first, { prune: true });
    expect(await isOpen()).toBe(true);
    const files = () =>
      first.run(['sh', '-ec', 'cat /etc/ufw/user*.rules; iptables-save -t filter | grep user']);
    const before = await files();

    const refused = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);

    expect(refused.report).toMatchObject({ plan: [], fix: { outcome: 'not-applied' } });
    expect(refused.report.fix?.reason).toMatch(
      /lock people out of this node: UFW: delete "allow .*": a new SSH connection from 192\.168\.60\.12 to 192\.168\.60\.11 port 22 passes now and would be dropped by the policy of INPUT, iptables-nft filter/,
    );
    expect(await files()).toBe(before);

    await ufw(first, 'allow 22/tcp comment ssh');
    const done = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(done.report.fix).toMatchObject({ outcome: 'done' });
    expect(await ufw(first, 'show added')).not.toContain('k3s-doctor');
    expect(await isOpen()).toBe(true);

    // What it was saved from:
    await ufw(first, 'delete allow 22/tcp');
    expect(await isOpen()).toBe(false);
  }, 60_000);
});
