/** The systemd units as they are shipped, with the machine's own systemd. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type LabNode, startNode } from './node/start-node.ts';
import { startProcess } from './node/start-process.ts';
import { bootSystemd, nodeProgram, type Systemd, unitFolder } from './systemd/boot-systemd.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const service = 'k3s-iptables-cleanup.service';
const timer = 'k3s-iptables-cleanup.timer';
const serviceText = readFileSync(`${root}units/${service}`, 'utf8');
const timerText = readFileSync(`${root}units/${timer}`, 'utf8');

const lines = (name: string) => readFileSync(`${root}fixtures/kube-proxy-legacy-then-nft/${name}`, 'latin1');
const recorded = {
  legacy: { ipv4: lines('iptables-legacy-save.txt'), ipv6: lines('ip6tables-legacy-save.txt') },
  nft: { ipv4: lines('iptables-nft-save.txt'), ipv6: lines('ip6tables-nft-save.txt') },
} as const;

describe('what systemd says of the units', () => {
  it('has no complaint', async () => {
    const verify = `
mount -t tmpfs lab /usr/local/bin
printf '#!/bin/sh\\n' >/usr/local/bin/k3s-doctor
chmod 755 /usr/local/bin/k3s-doctor
exec systemd-analyze verify units/${service} units/${timer}
`;
    const { exitCode, stdout, stderr } = await onThisMachine(['unshare', '--mount', 'sh', '-ec', verify]);

    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('rates the exposure of the service at 4.0 of 10 or less', async () => {
    const options = ['--offline=true', '--threshold=40', '--no-pager'];
    const { exitCode, stdout } = await onThisMachine([
      'systemd-analyze',
      'security',
      ...options,
      `units/${service}`,
    ]);

    expect(stdout).toMatch(/Overall exposure level for k3s-iptables-cleanup\.service: [0-4]\.\d/);
    expect(exitCode).toBe(0);
  });
});

describe("the service's capabilities, on a read-only root", () => {
  const names = /^CapabilityBoundingSet=(.+)$/m.exec(serviceText)?.[1]?.toLowerCase().split(' ') ?? [];

  it.each([
    { ghosts: 'legacy', live: 'nft' },
    { ghosts: 'nft', live: 'legacy' },
  ] as const)('are enough to find and remove ghosts on $ghosts', async ({ ghosts, live }) => {
    await using node = await startNode();
    for (const family of ['ipv4', 'ipv6'] as const) {
      await node.restore(ghosts, family, recorded.legacy[family]);
      await node.restore(live, family, recorded.nft[family]);
    }
    const before = await node.snapshot();

    expect((await confined(node, names, ['check'])).exitCode).toBe(1);
    const fixed = await confined(node, names, ['fix', '--yes']);

    expect(fixed.stderr).toBe('');
    expect(fixed.stdout).toContain('Healthy again.');
    expect(fixed.exitCode).toBe(0);
    const after = await node.snapshot();
    for (const family of ['Ipv4', 'Ipv6'] as const) {
      expect(after[`${ghosts}${family}`]).not.toContain('KUBE-');
      expect(after[`${live}${family}`]).toBe(before[`${live}${family}`]);
    }
  });

  it.each(names)('do not contain %s for nothing', async (name) => {
    await using node = await startNode();
    await node.restore('legacy', 'ipv4', recorded.legacy.ipv4);
    await node.restore('nft', 'ipv4', recorded.nft.ipv4);

    const others = names.filter((other) => other !== name);
    expect((await confined(node, others, ['check'])).exitCode).toBe(2);
  });
});

describe('the service under systemd', () => {
  it('removes ghosts and their connections, asks the container runtime, and keeps its journal', async () => {
    await using node = await startNode();
    const old = await brokenNode(node);
    await using systemd = await bootSystemd(node);
    await node.run(['rm', '-f', '/run/xtables.lock']);
    const before = await node.snapshot();
    expect(before.conntrack.join('\n')).toContain(`src=${old.addresses[0]}`);

    const started = await systemd.systemctl('start', service);

    const output = await node.readFile('/run/lab/output');
    expect(output).toContain('Healthy again.');
    expect(started).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const after = await node.snapshot();
    expect(after.legacyIpv4).not.toMatch(/KUBE-|CNI-DN-/);
    expect(after.legacyIpv6).not.toContain('KUBE-');
    expect(after.nftRuleset).toBe(before.nftRuleset);
    expect(after.conntrack.join('\n')).not.toContain(`src=${old.addresses[0]}`);
    expect(await node.run(['sh', '-c', 'cd /var/lib/k3s-doctor && stat -c "%A %n" . journal backups'])).toBe(
      'drwx------ .\ndrwx------ journal\ndrwx------ backups\n',
    );
    expect(await node.run(['stat', '-c', '%A %n', '/run/k3s-doctor/lock', '/run/xtables.lock'])).toBe(
      '-rw------- /run/k3s-doctor/lock\n-rw------- /run/xtables.lock\n',
    );

    await systemd.systemctl('start', service);

    expect(await node.readFile('/run/lab/output')).toContain('Healthy.');
    expect(await node.run(['sh', '-c', 'ls /var/lib/k3s-doctor/journal | wc -l'])).toBe('1\n');
  });

  it('can write to nothing but its own folders', async () => {
    await using node = await startNode();
    await using systemd = await bootSystemd(node);
    const places = [
      '/etc',
      '/usr',
      '/var',
      '/var/lib',
      '/run',
      '/run/lock',
      '/root',
      '/home',
      '/proc/sys/net',
    ];
    const own = ['/var/lib/k3s-doctor', '/run/k3s-doctor'];
    const tryAll = `for d in ${[...places, ...own].join(' ')}; do test -w $d && echo $d; done; grep ^Cap /proc/self/status`;

    await runInstead(node, systemd, tryAll);

    const output = await node.readFile('/run/lab/output');
    expect(output.split('\n').filter((line) => line.startsWith('/'))).toEqual(own);
    // CAP_NET_ADMIN is bit 12, CAP_NET_RAW bit 13.
    expect(output).toMatch(/^CapEff:\s+0000000000003000$/m);
    expect(output).toMatch(/^CapBnd:\s+0000000000003000$/m);
  });

  it.each([
    { exitCode: 0, meaning: 'healthy', state: 'inactive' },
    { exitCode: 1, meaning: 'problems remain', state: 'failed' },
    { exitCode: 2, meaning: 'not determined', state: 'failed' },
    { exitCode: 3, meaning: 'a fix failed', state: 'failed' },
    { exitCode: 4, meaning: 'another run is at work', state: 'inactive' },
  ])(
    'is $state when $meaning, and the timer counts five minutes from its end',
    async ({ exitCode, state }) => {
      await using node = await startNode();
      await writeUnits(node);
      await using systemd = await bootSystemd(node);
      await systemd.systemctl('start', timer);
      await runInstead(node, systemd, `exit ${exitCode}`);

      const { stdout } = await systemd.systemctl('show', '--property=ActiveState', '--value', service);

      expect(stdout.trim()).toBe(state);
      expect(await secondsFromEndToNextRun(node, systemd)).toBeCloseTo(300);
    },
  );
});

describe('the timer under systemd', () => {
  it('waits two minutes after a boot and five after a run, with a random delay on top', async () => {
    await using node = await startNode();
    await using systemd = await bootSystemd(node);
    await runInstead(node, systemd, 'true');
    await systemd.systemctl('start', timer);

    const { stdout } = await systemd.systemctl('show', timer);

    expect(stdout).toMatch(/^TimersMonotonic=\{ OnBootUSec=2min ;/m);
    expect(stdout).toMatch(/^TimersMonotonic=\{ OnUnitInactiveUSec=5min ;/m);
    expect(stdout.match(/^Timers(Monotonic|Calendar)=/gm)).toHaveLength(2);
    expect(stdout).toMatch(/^RandomizedDelayUSec=30s$/m);
    expect(stdout).toMatch(/^Unit=k3s-iptables-cleanup\.service$/m);
  });

  it('is wanted by timers.target, and neither unit waits for k3s or is stopped with it', () => {
    expect(timerText).toMatch(/^WantedBy=timers\.target$/m);
    expect(`${serviceText}${timerText}`).not.toMatch(
      /^(After|Before|Wants|Requires|Requisite|BindsTo|PartOf|Upholds)=/m,
    );
  });
});

function onThisMachine(command: readonly string[]) {
  return startProcess(['env', '--chdir', root, ...command], { input: '' }).ended;
}

/** Runs the product with these capabilities and no way to get more; only its own folders can be written to. */
function confined(node: LabNode, capabilities: readonly string[], args: readonly string[]) {
  const bounding = ['-all', ...capabilities.map((name) => name.replace('cap_', '+'))].join(',');
  const script = `
mkdir -p /run/k3s-doctor /var/lib/k3s-doctor
touch /run/xtables.lock
mount --bind /run/k3s-doctor /run/k3s-doctor
mount --bind /var/lib/k3s-doctor /var/lib/k3s-doctor
for place in / /etc /var/lib /run; do mount -o remount,bind,ro $place; done
exec setpriv --bounding-set=${bounding} --inh-caps=-all --no-new-privs -- "$@"
`;
  const doctor = [process.execPath, `${root}src/cli/main.ts`, ...args];
  return node.exec(['unshare', '--mount', 'sh', '-ec', script, 'sh', ...doctor]);
}

/** Ghosts of kube-proxy, and of a pod that is gone; a container runtime that says so through its socket. */
async function brokenNode(node: LabNode) {
  for (const family of ['ipv4', 'ipv6'] as const) {
    await node.restore('legacy', family, recorded.legacy[family]);
    await node.restore('nft', family, recorded.nft[family]);
  }
  const client = await node.addClient();
  const old = await node.addPod({ name: 'old', address: '10.42.0.70', udp: [5353] });
  const hostPorts = [{ hostPort: 5300, containerPort: 5353, protocol: 'udp' }] as const;
  await node.cni('legacy', 'ADD', { pod: old, hostPorts });
  await client.udp(node.address, 5300);
  await old.stop();

  const socket = '/run/k3s/containerd/containerd.sock';
  await node.writeFile(socket.replace('.sock', '.txt'), '');
  const serve = `
const server = require('node:net').createServer((peer) => peer.end('{"items":[]}'));
server.listen('${socket}', () => { require('node:fs').chmodSync('${socket}', 0o660); console.log('up'); });
`;
  await node.start([process.execPath, '--eval', serve]).waitForLine('up');
  const ask = `require('node:net').connect('${socket}').on('error', (e) => { throw e; }).pipe(process.stdout)`;
  const crictl = JSON.stringify([nodeProgram, '--eval', ask, '--']);
  await node.writeFile('/etc/k3s-doctor/config.yaml', `commands:\n  crictl: ${crictl}\n`);
  await writeUnits(node);
  return old;
}

async function writeUnits(node: LabNode): Promise<void> {
  await node.writeFile(`${unitFolder}/${service}`, serviceText);
  await node.writeFile(`${unitFolder}/${timer}`, timerText);
  // There is no journal in the lab.
  const toFile = '[Service]\nStandardOutput=truncate:/run/lab/output\nStandardError=inherit\n';
  await node.writeFile(`${unitFolder}/${service}.d/output.conf`, toFile);
}

/** Runs a shell script in the place of the product, under the same unit. */
async function runInstead(node: LabNode, systemd: Systemd, script: string): Promise<void> {
  await writeUnits(node);
  await node.writeFile('/run/lab/script', script);
  const instead = '[Service]\nExecStart=\nExecStart=sh /run/lab/script\n';
  await node.writeFile(`${unitFolder}/${service}.d/instead.conf`, instead);
  await systemd.systemctl('daemon-reload');
  await systemd.systemctl('start', service);
}

async function secondsFromEndToNextRun(node: LabNode, systemd: Systemd): Promise<number> {
  const timers = await systemd.systemctl('show', '--property=TimersMonotonic', timer);
  const [, next = ''] = /OnUnitInactiveUSec=.* next_elapse=(.*) \}/.exec(timers.stdout) ?? [];
  const timespan = await node.run(['systemd-analyze', 'timespan', next]);
  const end = await systemd.systemctl('show', '--property=InactiveEnterTimestampMonotonic', service);
  const [nextUs, endUs] = [/s: (\d+)$/m.exec(timespan)?.[1], /=(\d+)$/m.exec(end.stdout)?.[1]].map(Number);
  return ((nextUs ?? Number.NaN) - (endUs ?? Number.NaN)) / 1e6;
}
