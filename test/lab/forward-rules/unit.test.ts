/** k3s-forward-rules.service under a real systemd: at boot, and when UFW or k3s is restarted. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { configure } from '../ghosts/run-doctor.ts';
import { type Overlay, startDebianOverlay } from '../overlay/start-overlay.ts';
import type { Debian } from '../systemd/boot-debian.ts';
import { describeWithSystemd } from '../systemd/describe-with-systemd.ts';
import { dropIn } from '../systemd/install-units.ts';
import { type Image, prepareImage } from '../systemd/prepare-image.ts';
import { allPasses, podTraffic } from './pod-traffic.ts';

const unit = 'k3s-forward-rules.service';
const patiently = { timeout: 50_000, interval: 500 } as const;
const units = fileURLToPath(new URL('../../../units', import.meta.url));

let image: Image;
beforeAll(async () => {
  image = await prepareImage();
}, 300_000);
afterAll(() => image?.remove());

describeWithSystemd('the unit', () => {
  it('is what systemd has no complaint about, and differs from the others only where UFW has to write', async () => {
    await using overlay = await startDebianOverlay(image);
    const { first: node } = overlay;
    await node.doctor(['install', '--yes']);

    expect(await node.exec(['systemd-analyze', 'verify', unit])).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
    const security = ['systemd-analyze', 'security', '--threshold=40', '--no-pager', unit];
    expect(await node.exec(security)).toMatchObject({ exitCode: 0 });
    const [own, others] = [
      sandboxOf(await text(unit)),
      sandboxOf(await text('k3s-iptables-cleanup.service')),
    ];
    expect(own.filter((line) => !others.includes(line))).toEqual([
      'ReadWritePaths=-/etc/ufw -/run/ufw.lock',
      'SystemCallFilter=@chown',
    ]);
    expect(others.filter((line) => !own.includes(line))).toEqual([]);
  });

  it('opens the way within half a minute of being installed, and again whenever UFW or k3s is restarted', {
    timeout: 120_000,
  }, async () => {
    await using overlay = await startDebianOverlay(image);
    const { first: node } = overlay;
    await startK3s(node);
    await rejectRouted(node);
    expect((await podTraffic(overlay)).tcp).toBe(false);

    expect(await node.doctor(['install', '--enable', 'forward-rules', '--yes'])).toMatchObject({
      exitCode: 0,
    });
    await expect.poll(() => podTraffic(overlay), patiently).toEqual(allPasses);

    await expect.poll(() => stateOf(node), patiently).toBe('inactive');
    expect((await node.systemctl('is-enabled', unit)).stdout).toBe('enabled\n');
    const log = await node.journal(unit);
    expect(log).toMatch(/^forward-rules: error: all that pods send .*\[held: seen for the first time/m);
    expect(log).toMatch(/^forward-rules: error: all that pods send .*\[repaired\]$/m);
    expect((await node.doctor(['install', '--enable', 'forward-rules', '--yes'])).stdout).toContain(
      'installed already',
    );

    // Soon after a repair, when the same would have to wait its quarter of an hour; at first sight, to be quick.
    await configureUnit(node, { strikes: 1 });
    for (const service of ['k3s', 'ufw', 'k3s']) {
      await node.run([
        'sh',
        '-ec',
        'iptables-legacy -F; iptables-legacy -X; iptables-legacy -P FORWARD DROP',
      ]);
      expect((await podTraffic(overlay)).tcp).toBe(false);
      await node.systemctl('restart', service);
      await expect.poll(() => podTraffic(overlay), patiently).toEqual(allPasses);
      await expect.poll(() => stateOf(node), patiently).toBe('inactive');
    }
    // As systemd itself restarts what has crashed.
    const before = (await node.journal(unit)).length;
    await node.systemctl('kill', '--signal=KILL', 'k3s');
    await expect
      .poll(async () => (await node.journal(unit)).slice(before), patiently)
      .toMatch(/^fix: nothing to do/m);
    await expect.poll(() => stateOf(node), patiently).toBe('inactive');
    expect(await node.doctor(['uninstall', '--yes'])).toMatchObject({ exitCode: 0 });
    expect((await node.exec(['find', '/etc/systemd', '-name', '*forward-rules*'])).stdout).toBe('');
  });

  it('puts back, from within its sandbox, a file of UFW that a kill has cut off', async () => {
    await using overlay = await startDebianOverlay(image);
    const { first: node } = overlay;
    await startK3s(node);
    await rejectRouted(node);
    await node.doctor(['install', '--yes']);
    const list = [
      'sh',
      '-c',
      'stat -c "%A %U:%G %n" /etc/ufw/*; cat /etc/ufw/user*.rules; iptables-save -t filter | grep ufw-user',
    ];
    const before = await node.run(list);
    const cut =
      'strace -f -qq -o /dev/null -e trace=sendfile -e inject=sendfile:signal=KILL:when=1 /usr/sbin/ufw "$@"';
    await node.writeFile('/run/lab/ufw', `#!/bin/sh\n${cut}\nkill -9 $PPID\n`, '755');
    const config = await node.readFile('/etc/k3s-doctor/config.yaml');
    await configureUnit(node, {}, { ufw: '/run/lab/ufw' });
    expect((await node.doctor(['fix', 'forward-rules', '--yes'])).exitCode).toBe(137);
    expect(await node.readFile('/etc/ufw/user.rules')).toBe('');
    await node.writeFile('/etc/k3s-doctor/config.yaml', config, '600');
    await dropIn(node, unit, '[Service]\nExecStart=\nExecStart=k3s-doctor settle\n');

    await node.systemctl('start', unit);

    expect(await node.run(list)).toBe(before);
  });

  it('does at every boot what is needed: UFW keeps its rules, our chain is made again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'k3s-doctor-lab-'));
    const disk = join(folder, 'disk.tar');
    try {
      await prepareDisk(disk);
      await using overlay = await startDebianOverlay(image, { disk });
      const { first: node } = overlay;

      await expect.poll(() => podTraffic(overlay), patiently).toEqual(allPasses);

      await expect.poll(() => stateOf(node), patiently).toBe('inactive');
      expect(await node.run(['iptables', '-S', 'ufw-user-forward'])).toContain('-s 10.42.0.0/16 -j ACCEPT');
      expect(await node.dump('legacy', 'ipv4')).toContain('-j K3S-DOCTOR-FORWARD');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  /** A node that was healthy: with rules of ours in UFW and a chain of ours beside. Its disk, as it goes down. */
  async function prepareDisk(path: string): Promise<void> {
    await using overlay = await startDebianOverlay(image);
    const { first: node } = overlay;
    await startK3s(node);
    await rejectRouted(node);
    await node.writeFile('/etc/systemd/system/old-firewall.service', oldFirewall);
    await node.systemctl('enable', '--now', 'old-firewall');
    expect((await node.doctor(['fix', 'forward-rules', '--yes'])).exitCode).toBe(0);
    await node.doctor(['install', '--enable', 'forward-rules', '--yes']);
    await expect.poll(() => stateOf(node), patiently).toBe('inactive');
    const archive =
      'cd /; tar -c etc/ufw etc/default/ufw etc/systemd/system/*.service etc/systemd/system/*.wants etc/k3s-doctor var/lib/k3s-doctor | base64';
    await writeFile(path, Buffer.from(await node.run(['sh', '-ec', archive]), 'base64'));
  }
});

async function rejectRouted(node: Overlay<Debian>['first']): Promise<void> {
  await node.run([
    'sh',
    '-ec',
    `sed -i 's/^DEFAULT_FORWARD_POLICY=.*/DEFAULT_FORWARD_POLICY="REJECT"/' /etc/default/ufw
ufw allow 22/tcp; ufw allow proto udp from 192.168.60.12 to any port 8472; ufw --force enable`,
  ]);
}

/** Something that k3s, Flannel and the API do at a start; /run is empty after a boot. */
async function startK3s(node: Overlay<Debian>['first']): Promise<void> {
  await configureUnit(node, {});
  const settings = await node.readFile('/run/flannel/subnet.env');
  await node.writeFile('/etc/systemd/system/k3s.service', k3sService(settings));
  await node.systemctl('enable', '--now', 'k3s');
}

function configureUnit(
  node: Overlay<Debian>['first'],
  guards: Readonly<Record<string, unknown>>,
  commands: Readonly<Record<string, string>> = {},
) {
  return configure(node, {
    commands: { crictl: node.crictl, ...commands },
    guards: { probes: { dns: false, peer: false }, ...guards },
    checks: { 'iptables-ghosts': { mode: 'off' } },
  });
}

function k3sService(settings: string): string {
  const lines = settings.trim().split('\n').join(' ');
  return `[Service]
Type=exec
ExecStartPre=sh -c 'mkdir -p /run/flannel; printf "%%s\\n" ${lines} >/run/flannel/subnet.env'
ExecStart=sleep infinity
Restart=always
RestartSec=100ms
[Install]
WantedBy=multi-user.target
`;
}

/** Some script of an earlier day. */
const oldFirewall = `[Unit]
Before=k3s.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=iptables-legacy -P FORWARD DROP
[Install]
WantedBy=multi-user.target
`;

async function stateOf(node: Debian): Promise<string> {
  return (await node.systemctl('is-active', unit)).stdout.trim();
}

function text(name: string): Promise<string> {
  return readFile(join(units, name), 'utf8');
}

/** All settings that shut something off, or open it. */
function sandboxOf(unitText: string): readonly string[] {
  const settings =
    /^(Capability|NoNew|Protect|Private|ProcSubset|ReadOnly|ReadWrite|Restrict[A-Z]|Lock|SystemCall|UMask|State|Runtime)/;
  return unitText.split('\n').filter((line) => settings.test(line));
}
