/** Real firewalld on a real overlay. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { describeWithSystemd } from '../systemd/describe-with-systemd.ts';
import { type Image, prepareImage } from '../systemd/prepare-image.ts';
import { deliveredUnknown, packetSender } from './send-packets.ts';
import { configureOverlay, reaches, startGuardedOverlay } from './walled-overlay.ts';
import { watchSsh } from './watch-ssh.ts';

let image: Image;
beforeAll(async () => {
  image = await prepareImage();
}, 300_000);
afterAll(() => image?.remove());

describeWithSystemd('an overlay behind a firewalld', () => {
  it('is opened in its zone, for the peer alone, for now and for good', async () => {
    await using overlay = await startGuardedOverlay(image);
    const { first, second } = overlay;
    await first.systemctl('start', 'firewalld');
    // As k3s asks for it: pods are trusted. What stays is the overlay's own port.
    const trusted = ['--zone=trusted', '--add-interface=cni0', '--add-interface=flannel.1'];
    await first.run(['firewall-cmd', '--permanent', ...trusted]);
    await first.run(['firewall-cmd', '--permanent', '--zone=public', '--add-port=9100/tcp']);
    await first.run(['firewall-cmd', '--reload']);
    await configureOverlay(first, { profiles: ['ipsec-ah'] });
    const send = await packetSender(second, first, 51);
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
    expect(rules).toHaveLength(4);
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
    expect(undo).toMatchObject({ exitCode: 1, report: { plan: [], fix: { outcome: 'not-applied' } } });
    expect(undo.report.fix?.reason).toMatch(
      /^it could lock people out of this node: take back: firewalld zone public, now: .* what it does to SSH and the API cannot be told/,
    );
    expect(await reaches(overlay)).toBe(true);
  }, 120_000);
});
