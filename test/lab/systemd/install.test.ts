/** install and uninstall with a real systemd: what they make of the units, and what is left in the end. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startNode } from '../node/start-node.ts';
import { bootDebian, type Debian } from './boot-debian.ts';
import { describeWithSystemd } from './describe-with-systemd.ts';
import { type Image, prepareImage } from './prepare-image.ts';

let image: Image;
beforeAll(async () => {
  image = await prepareImage();
}, 300_000);
afterAll(() => image?.remove());

describeWithSystemd('install', () => {
  it('has the timers started now and at every boot, and uninstall --purge leaves nothing of it all', async () => {
    await using node = await startNode();
    await using debian = await bootDebian(node, image);
    const before = await filesOf(debian);

    const installed = await debian.doctor(['install', '--enable', 'cleanup,doctor', '--yes']);

    expect(installed).toMatchObject({ exitCode: 0, stderr: '' });
    const timers = ['k3s-iptables-cleanup.timer', 'k3s-doctor.timer'];
    expect((await debian.systemctl('is-enabled', ...timers)).stdout).toBe('enabled\nenabled\n');
    expect((await debian.systemctl('is-active', ...timers)).stdout).toBe('active\nactive\n');
    const wanted = (await debian.systemctl('list-dependencies', '--plain', 'timers.target')).stdout;
    expect(wanted.match(/k3s-\S+$/gm)?.sort()).toEqual([...timers].sort());
    expect(await debian.exec(['systemd-analyze', 'verify', ...timers])).toMatchObject({
      exitCode: 0,
      stderr: '',
    });

    const again = await debian.doctor(['install', '--enable', 'cleanup,doctor', '--yes']);

    expect(again.stdout).toContain('everything is installed already');
    // Nothing is known of this node, so it fails; that is not to be left behind, either.
    await debian.systemctl('start', 'k3s-iptables-cleanup.service', 'k3s-doctor.service');
    expect((await debian.systemctl('is-failed', 'k3s-doctor.service')).stdout).toBe('failed\n');

    const uninstalled = await debian.doctor(['uninstall', '--purge', '--yes']);

    expect(uninstalled).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await filesOf(debian)).toEqual(before);
    expect((await debian.systemctl('list-units', '--all', '--no-legend', 'k3s-*')).stdout).toBe('');
    expect((await debian.systemctl('list-unit-files', '--no-legend', 'k3s-*')).stdout).toBe('');
    expect((await debian.systemctl('is-system-running')).stdout).toBe('running\n');
  });
});

/** Every file, link and folder that a program may have left, with mode, owner, and a digest or target. */
async function filesOf(debian: Debian): Promise<string[]> {
  const list = `
find /etc /home /opt /root /srv /usr /var /run/k3s-doctor -xdev \\
  \\( -path /var/log -o -path /var/lib/systemd \\) -prune -o -printf '%y %m %U:%G %p %l\\n'
find /etc /root -xdev -type f -exec sha256sum {} +
`;
  const { stdout } = await debian.exec(['sh', '-c', list]);
  return stdout.split('\n').sort();
}
