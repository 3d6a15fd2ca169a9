/** Real UFW on a real overlay: found, repaired, and it stays repaired. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { nodeList } from '../overlay/node-objects.ts';
import { specOf } from '../overlay/overlay-member.ts';
import { describeWithSystemd } from '../systemd/describe-with-systemd.ts';
import { type Image, prepareImage } from '../systemd/prepare-image.ts';
import { configureOverlay, foreignFiles, reaches, startWalledOverlay, ufw } from './walled-overlay.ts';
import { watchSsh } from './watch-ssh.ts';

let image: Image;
beforeAll(async () => {
  image = await prepareImage();
}, 300_000);
afterAll(() => image?.remove());

const subjects = ({ findings }: Awaited<ReturnType<typeof runDoctor>>) =>
  findings.map(({ subject }) => subject);

describeWithSystemd('an overlay behind a UFW that denies', () => {
  it('is named with host, flow and rule, opened for the peer alone, and stays open', async () => {
    await using overlay = await startWalledOverlay(image, { isDualStack: true });
    const { first, second } = overlay;
    expect(await reaches(overlay)).toBe(false);
    const foreign = await foreignFiles(first);

    const check = await runDoctor(first, ['check', 'ufw-overlay']);
    expect(check.exitCode).toBe(1);
    expect(subjects(check)).toEqual([
      '192.168.60.12 8472/udp',
      'fd00:60::12 8472/udp',
      '192.168.60.12 6443/tcp',
      '192.168.60.12 10250/tcp',
    ]);
    expect(check.findings[0]?.message).toBe(
      "node-2 (192.168.60.12) → 8472/udp (VXLAN) is dropped by UFW's default, the policy of INPUT, iptables-nft filter",
    );

    const ssh = await watchSsh(second, first.addresses.eth0.ipv4);
    const fix = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(await ssh.stop()).toEqual({ tried: expect.any(Number), failed: [] });
    expect(fix).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expect(await reaches(overlay)).toBe(true);
    expect(await reaches(overlay, true)).toBe(true);
    expect(await foreignFiles(first)).toBe(foreign);
    const ours = (await ufw(first, 'show added')).split('\n').filter((line) => line.includes('k3s-doctor'));
    expect(ours.toSorted()).toEqual([
      "ufw allow from 192.168.60.12 to any port 10250 proto tcp comment 'k3s-doctor: peer, kubelet'",
      "ufw allow from 192.168.60.12 to any port 6443 proto tcp comment 'k3s-doctor: peer, Kubernetes API'",
      "ufw allow from 192.168.60.12 to any port 8472 proto udp comment 'k3s-doctor: peer, VXLAN'",
      "ufw allow from fd00:60::12 to any port 8472 proto udp comment 'k3s-doctor: peer, VXLAN'",
    ]);

    const journal = await first.run(['ls', '-R', '/var/lib/k3s-doctor']);
    const files = await first.run(['sh', '-ec', 'cat /etc/ufw/user*.rules']);
    const again = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(again).toMatchObject({
      exitCode: 0,
      findings: [],
      report: { plan: [], fix: { outcome: 'nothing-to-do' } },
    });
    expect(await first.run(['ls', '-R', '/var/lib/k3s-doctor'])).toBe(journal);
    expect(await first.run(['sh', '-ec', 'cat /etc/ufw/user*.rules'])).toBe(files);

    await ufw(first, 'reload');
    expect(await reaches(overlay)).toBe(true);
    await first.systemctl('restart', 'ufw');
    expect(await reaches(overlay)).toBe(true);

    await ufw(first, 'delete allow proto udp from 192.168.60.12 to any port 8472');
    expect(await reaches(overlay)).toBe(false);
    expect(subjects(await runDoctor(first, ['check', 'ufw-overlay']))).toEqual(['192.168.60.12 8472/udp']);
  }, 120_000);

  it('that rejects is opened, too, and undo closes it again', async () => {
    await using overlay = await startWalledOverlay(image);
    const { first } = overlay;
    await ufw(first, 'default reject incoming');
    const foreign = await foreignFiles(first);
    expect(await reaches(overlay)).toBe(false);
    const [finding] = (await runDoctor(first, ['check', 'ufw-overlay'])).findings;
    expect(finding?.message).toBe(
      "node-2 (192.168.60.12) → 8472/udp (VXLAN) is rejected by UFW's default, rule 1 of ufw-reject-input, iptables-nft filter",
    );

    const fix = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(fix.exitCode).toBe(0);
    expect(await reaches(overlay)).toBe(true);

    const undo = await runDoctor(first, ['undo', fix.report.run.id, '--yes']);
    expect(undo.exitCode).toBe(0);
    expect(await reaches(overlay)).toBe(false);
    expect(await ufw(first, 'show added')).not.toContain('k3s-doctor');
    expect(await foreignFiles(first)).toBe(foreign);
  }, 120_000);

  it('forgets a node that left, if it is told to, and nothing else', async () => {
    await using overlay = await startWalledOverlay(image);
    const { first } = overlay;
    expect((await runDoctor(first, ['fix', 'ufw-overlay', '--yes'])).exitCode).toBe(0);
    const foreign = await foreignFiles(first);
    await ufw(first, 'allow proto udp from 192.168.60.77 to any port 8472 comment mine');
    const withMine = await foreignFiles(first);
    expect(withMine).not.toBe(foreign);
    await first.answer('/api/v1/nodes', nodeList([specOf(1, false)]));

    const told = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(told.findings.map(({ code, severity }) => `${code} ${severity}`)).toEqual(
      Array(3).fill('peer-departed info'),
    );
    expect(await reaches(overlay)).toBe(true);

    await configureOverlay(first, { prune: true });
    await first.answer('/api/v1/nodes', { kind: 'Status', message: 'no such answer' });
    const unreachable = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(unreachable).toMatchObject({ exitCode: 2, findings: [] });
    expect(unreachable.reasons[0]).toMatch(/^the nodes of the cluster are not known: /);
    expect(await ufw(first, 'show added')).toContain('k3s-doctor');

    await first.answer('/api/v1/nodes', nodeList([specOf(1, false)]));
    const pruned = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(pruned).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expect(await ufw(first, 'show added')).not.toContain('k3s-doctor');
    expect(await foreignFiles(first)).toBe(withMine);
    expect(await reaches(overlay)).toBe(false);
    const after = await runDoctor(first, ['fix', 'ufw-overlay', '--yes']);
    expect(after).toMatchObject({ exitCode: 0, findings: [], report: { plan: [] } });
  }, 120_000);
});
