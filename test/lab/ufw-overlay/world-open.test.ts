/** A stranger at the door: what the check says of him is what he meets. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { describeWithSystemd } from '../systemd/describe-with-systemd.ts';
import { type Image, prepareImage } from '../systemd/prepare-image.ts';
import { reaches, startWalledOverlay, ufw } from './walled-overlay.ts';

let image: Image;
beforeAll(async () => {
  image = await prepareImage();
}, 300_000);
afterAll(() => image?.remove());

describeWithSystemd('a port that UFW opens to everybody', () => {
  it('is found, and the commands that are printed leave it to the cluster', async () => {
    await using overlay = await startWalledOverlay(image);
    const { first } = overlay;
    const stranger = await first.addClient({ name: 'stranger', address: '203.0.113.77' });
    const knocks = async () => {
      await first.run(['sh', '-ec', 'nft add table ip lab; nft flush table ip lab']);
      await first.run(['nft', 'add chain ip lab in { type filter hook input priority 300; }']);
      await first.run(['nft', 'add rule ip lab in ip saddr 203.0.113.77 udp dport 8472 counter']);
      await stranger.udp(first.addresses.eth0.ipv4, 8472, { timeoutMs: 100 });
      const counted = /packets (\d+)/.exec(await first.run(['nft', 'list', 'table', 'ip', 'lab']))?.[1];
      await first.run(['nft', 'delete', 'table', 'ip', 'lab']);
      return Number(counted);
    };
    expect(await runDoctor(first, ['check', 'world-open'])).toMatchObject({ exitCode: 0, findings: [] });
    expect(await knocks()).toBe(0);

    await ufw(first, 'allow 8472/udp');
    expect(await knocks()).toBe(1);
    const check = await runDoctor(first, ['fix', 'world-open', '--yes']);
    expect(check).toMatchObject({ exitCode: 0, report: { plan: [] } });
    expect(check.findings).toMatchObject([
      {
        code: 'port-open-to-world',
        subject: '8472/udp ipv4 eth0',
        severity: 'warning',
        effect: 'exposes',
        message: expect.stringMatching(
          /^8472\/udp \(VXLAN\) is open to everybody in the networks before it at 192\.168\.60\.11 \(eth0\): rule \d+ of ufw-user-input, iptables-nft filter lets it in$/,
        ),
      },
    ]);
    const remedy = check.findings[0]?.remedy;
    const commands = remedy && 'reason' in remedy ? remedy.reason.replace(/^.*for you to say: /, '') : '';
    expect(commands).toBe(
      'ufw prepend allow from 192.168.60.12 to any port 8472 proto udp; ufw delete allow 8472/udp',
    );

    await first.run(['sh', '-ec', commands]);
    expect(await knocks()).toBe(0);
    expect(await reaches(overlay)).toBe(true);
    expect((await runDoctor(first, ['check', 'world-open'])).findings).toEqual([]);
  }, 120_000);
});
