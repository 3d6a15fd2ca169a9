/** k3s-doctor.service, the hourly look at everything, under a real systemd. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectUnchanged } from '../ghosts/expect-only-gone.ts';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { describeWithSystemd } from './describe-with-systemd.ts';
import { startHauntedDebian } from './haunted-debian.ts';
import { dropIn } from './install-units.ts';
import { type Image, prepareImage } from './prepare-image.ts';

const service = 'k3s-doctor.service';

let image: Image;
beforeAll(async () => {
  image = await prepareImage();
}, 300_000);
afterAll(() => image?.remove());

describeWithSystemd('the hourly diagnosis', () => {
  it('puts each finding in the journal as one line with its priority, changes nothing, and fails until all is well', async () => {
    await using debian = await startHauntedDebian(image);
    const before = await debian.snapshot();
    const { findings } = await runDoctor(debian, ['check', 'iptables-ghosts']);
    expect(findings.length).toBeGreaterThan(1);

    expect((await debian.systemctl('start', service)).exitCode).toBe(1);

    const log = (await debian.journal(service)).split('\n');
    for (const { message, severity } of findings) {
      expect(log.filter((line) => line.includes(message))).toEqual([
        expect.stringContaining(`iptables-ghosts: ${severity}: ${message}`),
      ]);
    }
    const errors = await debian.run([
      'journalctl',
      '--unit',
      service,
      '--priority',
      'err',
      '--output',
      'cat',
    ]);
    const [error, ...others] = findings.filter(({ severity }) => severity === 'error');
    expect(others).toEqual([]);
    expect(errors.split('\n').filter((line) => line.startsWith('iptables-ghosts: '))).toEqual([
      expect.stringContaining(error?.message ?? ''),
    ]);
    expectUnchanged(before, await debian.snapshot());
    expect((await debian.systemctl('is-failed', service)).stdout).toBe('failed\n');

    expect((await debian.doctor(['fix', 'iptables-ghosts', '--yes'])).exitCode).toBe(0);
    expect((await debian.systemctl('start', service)).exitCode).toBe(0);

    expect(await debian.journal(service)).toMatch(/^check: healthy$/m);
    expect((await debian.systemctl('is-failed', service)).stdout).toBe('inactive\n');
  });

  it('can tell somebody: OnFailure= of a drop-in starts a unit that knows what failed, and how', async () => {
    await using debian = await startHauntedDebian(image);
    await dropIn(debian, service, '[Unit]\nOnFailure=tell-somebody.service\n');
    const tell = 'echo $MONITOR_UNIT: $MONITOR_SERVICE_RESULT, exit code $MONITOR_EXIT_STATUS';
    const unit = `[Service]\nType=oneshot\nExecStart=sh -c '${tell}'\n`;
    await debian.writeFile('/etc/systemd/system/tell-somebody.service', unit);

    await debian.systemctl('start', service);

    await expect
      .poll(() => debian.journal('tell-somebody.service'), { timeout: 30_000, interval: 200 })
      .toContain(`${service}: exit-code, exit code 1\n`);

    await debian.doctor(['fix', 'iptables-ghosts', '--yes']);
    await debian.systemctl('start', service);

    const log = await debian.journal('tell-somebody.service');
    expect(log.match(/exit code/g)).toHaveLength(1);
  });
});
