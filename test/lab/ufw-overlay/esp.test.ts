/** Real packets of IP protocol 50, counted where they arrive. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { describeWithSystemd } from '../systemd/describe-with-systemd.ts';
import { type Image, prepareImage } from '../systemd/prepare-image.ts';
import { deliveredUnknown, packetSender } from './send-packets.ts';
import { configureOverlay, foreignFiles, startWalledOverlay, ufw } from './walled-overlay.ts';

let image: Image;
beforeAll(async () => {
  image = await prepareImage();
}, 300_000);
afterAll(() => image?.remove());

describeWithSystemd('ESP between two hosts behind a UFW that denies', () => {
  it('is found by the profile, let in for the peer alone, and arrives', async () => {
    await using overlay = await startWalledOverlay(image);
    const { first, second } = overlay;
    const send = await packetSender(second, first, 50);
    const arrived = async () => {
      const before = await deliveredUnknown(first);
      await send(20);
      return (await deliveredUnknown(first)) - before;
    };
    await configureOverlay(first, { profiles: ['ipsec'] });
    const foreign = await foreignFiles(first);
    expect(await arrived()).toBe(0);

    const check = await runDoctor(first, ['check', 'ufw-overlay']);
    expect(check.findings.map(({ subject }) => subject)).toEqual([
      '192.168.60.12 8472/udp',
      '192.168.60.12 ESP',
      '192.168.60.12 500/udp',
      '192.168.60.12 4500/udp',
      '192.168.60.12 6443/tcp',
      '192.168.60.12 10250/tcp',
    ]);

    // As if this host had sent some first: the kernel takes what comes for answers.
    const sentFirst = ['-p', '50', '-s', first.addresses.eth0.ipv4, '-d', second.addresses.eth0.ipv4];
    await first.run(['conntrack', '-I', ...sentFirst, '-t', '60']);
    expect(await arrived()).toBe(20);
    expect((await runDoctor(first, ['check', 'ufw-overlay'])).findings).toHaveLength(6);
    await first.run(['conntrack', '-D', '-p', '50']);
    expect(await arrived()).toBe(0);

    expect((await runDoctor(first, ['fix', 'ufw-overlay', '--yes'])).exitCode).toBe(0);
    expect(await arrived()).toBe(20);
    expect(await ufw(first, 'show added')).toContain(
      "ufw allow from 192.168.60.12 proto esp comment 'k3s-doctor: peer, IPsec'\n",
    );
    expect(await foreignFiles(first)).toBe(foreign);
    expect((await runDoctor(first, ['check', 'ufw-overlay'])).findings).toEqual([]);
  }, 120_000);
});
