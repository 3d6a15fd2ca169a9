/** install and uninstall with a real systemd, where units are at work or broken, and the program in an odd place. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { type LabNode, startNode } from '../node/start-node.ts';
import { bootDebian } from './boot-debian.ts';
import { describeWithSystemd } from './describe-with-systemd.ts';
import { type Image, prepareImage } from './prepare-image.ts';

const unitFolder = '/etc/systemd/system';

let image: Image;
beforeAll(async () => {
  image = await prepareImage();
}, 300_000);
afterAll(() => image?.remove());

describeWithSystemd('install and uninstall', () => {
  it('leave no trace though one service is at work and the other has failed', async () => {
    await using node = await startNode();
    await using debian = await bootDebian(node, image);
    const before = await traces(debian);
    await runDoctor(debian, ['install', '--yes', '--enable', 'cleanup,doctor']);
    // One has failed, the other is at work.
    await debian.writeFile('/run/systemd/system/k3s-doctor.service.d/lab.conf', failing);
    await debian.writeFile(`/run/systemd/system/k3s-iptables-cleanup.service.d/lab.conf`, endless);
    await debian.systemctl('daemon-reload');
    await debian.systemctl('start', 'k3s-doctor.service');
    await debian.systemctl('start', '--no-block', 'k3s-iptables-cleanup.service');
    expect((await debian.systemctl('is-active', 'k3s-iptables-cleanup.service')).stdout).toBe('activating\n');
    expect((await debian.systemctl('is-failed', 'k3s-doctor.service')).stdout).toBe('failed\n');
    expect(await traces(debian)).not.toEqual(before);

    const removed = await runDoctor(debian, ['uninstall', '--purge', '--yes']);

    expect(removed).toMatchObject({ exitCode: 0, stderr: '' });
    await debian.run(['sh', '-c', 'rm -r /run/systemd/system/k3s-*.d']);
    await debian.systemctl('daemon-reload');
    expect(await traces(debian)).toEqual(before);
  });

  it('take back what could not be enabled, also in what systemd knows', async () => {
    await using node = await startNode();
    await using debian = await bootDebian(node, image);
    await debian.run(['mkdir', `${unitFolder}/timers.target.wants/k3s-doctor.timer`]);
    const before = await traces(debian);

    const failed = await runDoctor(debian, ['install', '--yes', '--enable', 'cleanup,doctor']);

    expect(failed.report.fix).toMatchObject({ outcome: 'failed', rollback: 'complete' });
    expect(failed.exitCode).toBe(3);
    expect((await debian.systemctl('list-units', '--all', '--no-legend', 'k3s-*')).stdout).toBe('');
    await runDoctor(debian, ['uninstall', '--purge', '--yes']);
    expect(await traces(debian)).toEqual(before);
  });

  it('name a program in an odd place so that systemd starts it', async () => {
    await using node = await startNode();
    await using debian = await bootDebian(node, image);
    const odd = '/opt/an "odd" $HOME, 100%s';
    await debian.run(['cp', '-r', '/usr/local/lib/node_modules/k3s-doctor', odd]);
    const oddNode = '/opt/a $HOME, 100%s node';
    await debian.run(['cp', '/usr/local/bin/node', oddNode]);
    const program = [oddNode, `${odd}/dist/doctor.js`];
    expect(await debian.exec([...program, 'install', '--yes'])).toMatchObject({ exitCode: 0, stderr: '' });

    const started = await debian.systemctl('start', 'k3s-doctor.service');

    expect(started).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await debian.journal('k3s-doctor.service')).toContain('check: healthy');
    expect(
      (await debian.exec(['systemd-analyze', 'verify', `${unitFolder}/k3s-doctor.service`])).stderr,
    ).toBe('');
  });
});

const failing = '[Service]\nExecStart=\nExecStart=false\n';
const endless = '[Service]\nExecStart=\nExecStart=sleep 600\n';

/** Files, and what systemd has in its memory. */
async function traces(debian: LabNode): Promise<Record<string, string>> {
  const places = ['/etc', '/var', '/usr/local', '/opt', '/srv', '/run/k3s-doctor', '/run/systemd/system'];
  const listed = await debian.exec(['find', ...places, '-printf', '%y %m %U:%G %p %l\n']);
  return {
    files: listed.stdout
      .split('\n')
      .filter((line) => !line.includes(' /var/log/journal'))
      .sort()
      .join('\n'),
    units: await debian.run(['systemctl', 'list-units', '--all', '--plain', '--no-legend', 'k3s-*']),
    unitFiles: await debian.run(['systemctl', 'list-unit-files', '--no-legend', 'k3s-*']).catch(() => ''),
  };
}
