/** Real firewalld on a real overlay. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { startDebianOverlay } from '../overlay/start-overlay.ts';
import { describeWithSystemd } from '../systemd/describe-with-systemd.ts';
import { type Image, prepareImage } from '../systemd/prepare-image.ts';
import { deliveredUnknown, espSender } from './send-esp.ts';
import { configureOverlay, reaches } from './walled-overlay.ts';
import { serveSsh, watchSsh } from './watch-ssh.ts';

let image: Image;
beforeAll(async () => {
  image = await prepareImage();
}, 300_000);
afterAll(() => image?.remove());

describeWithSystemd('an overlay behind a firewalld', () => {
  it('is opened in its zone, for the peer alone, for now and for good', async () => {
    await using overlay = await startDebianOverlay(image);
    const { first, second } = overlay;
    await serveSsh(first);
    await first.systemctl('start', 'firewalld');
    // As k3s asks for it: pods are trusted. What stays is the overlay's own port.
    const trusted = ['--zone=trusted', '--add-interface=cni0', '--add-interface=flannel.1'];
    await first.run(['firewall-cmd', '--permanent', ...trusted]);
    await first.run(['firewall-cmd', '--permanent', '--zone=public', '--add-port=9100/tcp']);
    await first.run(['firewall-cmd', '--reload']);
    await configureOverlay(first, { profiles: ['ipsec'] });
    const send = await espSender(second, first);
    const arrived = async () => {
      const before = await deliveredUnknown(first);
      await send(20);
      return (await deliveredUnknown(first)) - before;
    };
    expect(await reaches(overlay)).toBe(false);
    expect(await arrived()).toBe(0);

    const check = await runDoctor(first, ['check', 'ufw-overlay']);
    expect(check.findings[0]).toMatchObject({
      subject: '192.168.60.12 8472/udp',
      message: expect.stringMatching(
        /is rejected by firewalld's zone public, rule \d+ of filter_IN_public, nft inet firewalld$/,
      ),
    });

    const ssh = await watchSsh(second, first.addresses.eth0.ipv4);
    const fix = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(await ssh.stop()).toEqual({ tried: expect.any(Number), failed: [] });
    expect(fix).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expect(await reaches(overlay)).toBe(true);
    expect(await arrived()).toBe(20);

    const list = await first.run(['firewall-cmd', '--zone=public', '--list-all']);
    expect(list).toContain('ports: 9100/tcp');
    const rules = (await first.run(['firewall-cmd', '--zone=public', '--list-rich-rules']))
      .trimEnd()
      .split('\n');
    expect(rules).toHaveLength(6);
    expect(rules.every((rule) => rule.includes('source address="192.168.60.12"'))).toBe(true);

    await first.run(['firewall-cmd', '--reload']);
    expect(await reaches(overlay)).toBe(true);
    expect(await arrived()).toBe(20);
    const again = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(again).toMatchObject({
      exitCode: 0,
      findings: [],
      report: { plan: [], fix: { outcome: 'nothing-to-do' } },
    });

    const undo = await runDoctor(first, ['undo', fix.report.run.id, '--yes']);
    expect(undo.exitCode).toBe(0);
    expect(await reaches(overlay)).toBe(false);
    expect(await first.run(['firewall-cmd', '--permanent', '--zone=public', '--list-rich-rules'])).toBe('\n');
  }, 60_000);
});
