/** install and uninstall as an operator does it, with a real systemd: what starts now and at boot, and what is left. */
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
    const install = ['install', '--enable', 'cleanup,doctor', '--yes'];

    expect(await debian.doctor(install)).toMatchObject({ exitCode: 0, stderr: '' });

    const timers = ['k3s-doctor.timer', 'k3s-iptables-cleanup.timer'];
    expect((await debian.systemctl('is-enabled', ...timers)).stdout).toBe('enabled\nenabled\n');
    expect((await debian.systemctl('is-active', ...timers)).stdout).toBe('active\nactive\n');
    const wanted = (await debian.systemctl('list-dependencies', '--plain', 'timers.target')).stdout;
    expect(wanted.match(/k3s-\S+$/gm)?.sort()).toEqual(timers);
    const verified = await debian.exec(['systemd-analyze', 'verify', ...timers]);
    expect(verified).toEqual({ exitCode: 0, stdout: '', stderr: '' });

    const installed = await filesOf(debian);
    expect((await debian.doctor(install)).exitCode).toBe(0);
    expect(await filesOf(debian)).toEqual(installed);
    for (const name of ['k3s-iptables-cleanup.service', 'k3s-doctor.service']) {
      expect(await debian.systemctl('start', name)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    }

    expect(await debian.doctor(['uninstall', '--purge', '--yes'])).toMatchObject({ exitCode: 0, stderr: '' });

    expect(await filesOf(debian)).toEqual(before);
    expect((await debian.systemctl('list-units', '--all', '--no-legend', 'k3s-*')).stdout).toBe('');
    expect((await debian.systemctl('list-unit-files', '--no-legend', 'k3s-*')).stdout).toBe('');
    expect((await debian.systemctl('is-system-running')).stdout).toBe('running\n');
  });
});

/** Every file, link and folder that may have been left, with mode, owner and target; of what is configured a digest, too. */
async function filesOf(debian: Debian): Promise<string[]> {
  const list = `
find /etc /home /opt /root /srv /usr /var /run/k3s-doctor -xdev \\
  \\( -path /var/log -o -path /var/lib/systemd \\) -prune -o -printf '%y %m %U:%G %p %l\\n'
find /etc /root -xdev -type f -exec sha256sum {} +
`;
  const { stdout } = await debian.exec(['sh', '-c', list]);
  return stdout.split('\n').sort();
}
