/** k3s-iptables-cleanup on a node with ghosts, under a real systemd: what an operator would see happen. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectOnlyGone, expectUnchanged } from '../ghosts/expect-only-gone.ts';
import { configure } from '../ghosts/run-doctor.ts';
import { wrapTool } from '../ghosts/wrap-tool.ts';
import { describeWithSystemd } from './describe-with-systemd.ts';
import { arrivalAtGate, closeGate, openGate, waitAtGate } from './gate.ts';
import { type HauntedDebian, startHauntedDebian } from './haunted-debian.ts';
import { dropIn } from './install-units.ts';
import { type Image, prepareImage } from './prepare-image.ts';

const service = 'k3s-iptables-cleanup.service';
const timer = 'k3s-iptables-cleanup.timer';
const patiently = { timeout: 30_000, interval: 200 } as const;

let image: Image;
beforeAll(async () => {
  image = await prepareImage();
}, 300_000);
afterAll(() => image?.remove());

describeWithSystemd('the timer', () => {
  it('removes at its second run what the first has only reported, and then finds nothing', async () => {
    await using debian = await startHauntedDebian(image);
    const before = await debian.snapshot();
    const everySecond = 'OnActiveSec=1s\nOnUnitInactiveSec=1s\nRandomizedDelaySec=0\nAccuracySec=1ms\n';
    await dropIn(debian, timer, `[Timer]\nOnBootSec=\n${everySecond}`);

    await debian.systemctl('start', timer);
    await expect.poll(() => runsOf(debian), patiently).toHaveLength(3);
    await debian.systemctl('stop', timer);

    const [first = '', second = '', third = ''] = await runsOf(debian);
    expect(first).toMatch(
      /^iptables-ghosts: error: 10\.43\.0\.80:80\/tcp .*\[held: seen for the first time/m,
    );
    expect(second).toMatch(/^iptables-ghosts: error: 10\.43\.0\.80:80\/tcp .*\[repaired\]$/m);
    expect(third).not.toContain('10.43.0.80');
    expectOnlyGone(before, await debian.snapshot(), { backend: 'legacy' });
    expect(await stateOf(debian)).toBe('inactive');
  });
});

describeWithSystemd('the service', () => {
  it('asks the container runtime through its socket, ends stale connections, and keeps a journal for root', async () => {
    await using debian = await startHauntedDebian(image);
    const old = await addDeadHostPort(debian);
    await configure(debian, { commands: { crictl: await serveCrictl(debian) }, guards: { strikes: 1 } });
    const before = await debian.snapshot();
    expect(before.conntrack.join('\n')).toContain(`src=${old}`);

    const started = await debian.systemctl('start', service);

    expect(started).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    const after = await debian.snapshot();
    expect(after.legacyIpv4).not.toMatch(/KUBE-|CNI-DN-/);
    expect(after.nftRuleset).toBe(before.nftRuleset);
    expect(after.conntrack.join('\n')).not.toContain(`src=${old}`);
    const list =
      'cd /var/lib/k3s-doctor && stat -c "%A %n" . journal backups /run/k3s-doctor/lock /run/xtables.lock';
    expect((await debian.run(['sh', '-c', list])).split('\n')).toEqual([
      'drwx------ .',
      'drwx------ journal',
      'drwx------ backups',
      '-rw------- /run/k3s-doctor/lock',
      '-rw------- /run/xtables.lock',
      '',
    ]);
  });

  it('settles at once what it was killed at, and does not try the same again right away', async () => {
    await using debian = await startHauntedDebian(image);
    const before = await debian.snapshot();
    await haltMidway(debian);
    await kill(debian);

    await expect.poll(() => stateOf(debian), patiently).toBe('failed');

    expect(await resultOf(debian)).toBe('signal');
    expectUnchanged(before, await debian.snapshot());
    expect(await debian.journal(service)).toMatch(/^run \S+ was killed at its work: reverted/m);
    expect((await debian.exec(['pgrep', '--full', 'iptables-legacy-restore'])).stdout).toBe('');
    expect(await undoTimers(debian)).toBe('');

    await debian.systemctl('start', service);

    expectUnchanged(before, await debian.snapshot());
    expect(await debian.journal(service)).toMatch(/^iptables-ghosts: .*\[held: its repair was tried at /m);
  });

  it('settles with its next run what nobody settled when it was killed', async () => {
    await using debian = await startHauntedDebian(image);
    const before = await debian.snapshot();
    await dropIn(debian, service, '[Service]\nExecStopPost=\n');
    await haltMidway(debian);
    await kill(debian);
    await expect.poll(() => stateOf(debian), patiently).toBe('failed');
    const between = await debian.snapshot();
    expect(between.legacyIpv4).not.toBe(before.legacyIpv4);

    await debian.systemctl('start', service);

    expectUnchanged(before, await debian.snapshot());
  });

  it('that is told to stop finishes the step at work, takes everything back, and is not killed over it', async () => {
    await using debian = await startHauntedDebian(image);
    const before = await debian.snapshot();
    await haltMidway(debian);

    await debian.systemctl('stop', '--no-block', service);
    await expect.poll(() => stateOf(debian), patiently).toBe('deactivating');
    await openGate(debian);
    await expect.poll(() => stateOf(debian), patiently).toMatch(/^(in)?active$|^failed$/);

    expect(await debian.journal(service)).toMatch(
      /^fix: stopped: asked to stop before: .*roll-back complete/m,
    );
    expectUnchanged(before, await debian.snapshot());
    expect(await undoTimers(debian)).toBe('');
  });

  /** The first transaction, on table nat, is done, the second has not begun when this returns. */
  async function haltMidway(debian: HauntedDebian): Promise<void> {
    const unlessNat = 'input=$(cat); case $input in "*nat"*) ;; *)';
    const restore = `${unlessNat} ${waitAtGate};; esac; printf '%s\\n' "$input" | real "$@"`;
    await configure(debian, {
      commands: {
        crictl: debian.crictl,
        'iptables-legacy-restore': await wrapTool(debian, 'iptables-legacy-restore', restore),
      },
      guards: { strikes: 1 },
    });
    await closeGate(debian);
    await debian.systemctl('start', '--no-block', service);
    await arrivalAtGate(debian);
  }

  /** As the kernel does when memory runs out. */
  async function kill(debian: HauntedDebian): Promise<void> {
    await debian.systemctl('kill', '--kill-whom=main', '--signal=KILL', service);
  }
});

describeWithSystemd("the dead man's switch", () => {
  it('takes a fix back when the doctor is killed before it could confirm it', async () => {
    await using debian = await startHauntedDebian(image);
    const soon =
      'for arg; do shift; set -- "$@" "$(echo "$arg" | sed s/^--on-active=.*/--on-active=3s/)"; done';
    await configure(debian, {
      commands: {
        crictl: debian.crictl,
        conntrack: await wrapTool(debian, 'conntrack', `case "$*" in *-D*) ${waitAtGate};; esac; real "$@"`),
        'systemd-run': await wrapTool(debian, 'systemd-run', `${soon}; real "$@"`),
      },
      guards: { confirmSeconds: 30 },
    });
    const before = await debian.snapshot();
    await closeGate(debian);
    const doctor = debian.startDoctor(['fix', 'iptables-ghosts', '--yes']);
    await arrivalAtGate(debian);
    expect(await undoTimers(debian)).toContain('k3s-doctor-undo-');
    expectOnlyGone(before, await debian.snapshot(), { backend: 'legacy' });

    await doctor.stop('SIGKILL');

    await expect.poll(async () => (await debian.snapshot()).legacyIpv4, patiently).toBe(before.legacyIpv4);
    expectUnchanged(before, await debian.snapshot());
    await expect.poll(() => undoTimers(debian), patiently).toBe('');
  });

  it('is disarmed when the fix is confirmed', async () => {
    await using debian = await startHauntedDebian(image);
    const note = 'echo "$*" >>/run/lab/armed; real "$@"';
    await configure(debian, {
      commands: { crictl: debian.crictl, 'systemd-run': await wrapTool(debian, 'systemd-run', note) },
    });

    const { exitCode } = await debian.doctor(['fix', 'iptables-ghosts', '--yes']);

    expect(exitCode).toBe(0);
    expect(await debian.readFile('/run/lab/armed')).toContain('--on-active=120s');
    expect(await undoTimers(debian)).toBe('');
  });
});

/** What each run of the service has logged that has ended, systemd's own lines left out. */
async function runsOf(debian: HauntedDebian): Promise<string[]> {
  const log = await debian.journal(service);
  const runs = log.split(/^Starting .*$/m).slice(1);
  return runs.filter((run) => /^(Finished|Failed to start) /m.test(run));
}

async function stateOf(debian: HauntedDebian): Promise<string> {
  return (await debian.systemctl('show', '--property=ActiveState', '--value', service)).stdout.trim();
}

async function resultOf(debian: HauntedDebian): Promise<string> {
  return (await debian.systemctl('show', '--property=Result', '--value', service)).stdout.trim();
}

async function undoTimers(debian: HauntedDebian): Promise<string> {
  return (await debian.systemctl('list-units', '--all', '--plain', '--no-legend', 'k3s-doctor-undo-*'))
    .stdout;
}

/** A host port of a pod that is gone, and a connection through it. Returns the pod's address. */
async function addDeadHostPort(debian: HauntedDebian): Promise<string> {
  const client = await debian.addClient({ name: 'caller', address: '192.168.60.3', address6: 'fd00:60::3' });
  const old = await debian.addPod({ name: 'old', address: '10.42.0.70', udp: [5353] });
  const hostPorts = [{ hostPort: 5300, containerPort: 5353, protocol: 'udp' }] as const;
  await debian.cni('legacy', 'ADD', { pod: old, hostPorts });
  await client.udp(debian.address, 5300);
  await old.stop();
  return '10.42.0.70';
}

/** A container runtime that knows no pod, behind a socket like the real one's. Returns what asks it. */
async function serveCrictl(debian: HauntedDebian): Promise<readonly string[]> {
  const socket = '/run/k3s/containerd/containerd.sock';
  const node = '/usr/local/bin/node';
  await debian.run(['mkdir', '-p', '/run/k3s/containerd']);
  const serve = `
const server = require('node:net').createServer((peer) => peer.end('{"items":[]}'));
server.listen('${socket}', () => { require('node:fs').chmodSync('${socket}', 0o660); console.log('up'); });
`;
  await debian.start([node, '--eval', serve]).waitForLine('up');
  const ask = `require('node:net').connect('${socket}').on('error', (e) => { throw e; }).pipe(process.stdout)`;
  return [node, '--eval', ask, '--'];
}
