/** The systemd units as they are shipped, under a real systemd. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LabNode, startNode } from './node/start-node.ts';
import { bootDebian, type Debian } from './systemd/boot-debian.ts';
import { describeWithSystemd } from './systemd/describe-with-systemd.ts';
import { dropIn, installUnits } from './systemd/install-units.ts';
import { type Image, prepareImage } from './systemd/prepare-image.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cleanup = 'k3s-iptables-cleanup';
const doctor = 'k3s-doctor';
const names = [cleanup, doctor];
const patiently = { timeout: 30_000, interval: 200 } as const;
const textOf = (unit: string) => readFileSync(`${root}units/${unit}`, 'utf8');

const lines = (name: string) => readFileSync(`${root}fixtures/kube-proxy-legacy-then-nft/${name}`, 'latin1');
const recorded = {
  legacy: { ipv4: lines('iptables-legacy-save.txt'), ipv6: lines('ip6tables-legacy-save.txt') },
  nft: { ipv4: lines('iptables-nft-save.txt'), ipv6: lines('ip6tables-nft-save.txt') },
} as const;

describe.each(names)('%s', (name) => {
  it('is wanted by timers.target alone, and neither waits for k3s nor is stopped with it', () => {
    const service = textOf(`${name}.service`);
    const timer = textOf(`${name}.timer`);

    expect(timer).toMatch(/^WantedBy=timers\.target$/m);
    expect(service).not.toContain('[Install]');
    expect(`${service}${timer}`).not.toMatch(
      /^(After|Before|Wants|Requires|Requisite|BindsTo|PartOf|Upholds|OnFailure|Restart)=/m,
    );
  });

  it('keeps to the same sandbox as the others', () => {
    expect(sandboxOf(name)).toContain('ProtectSystem=strict');
    expect(sandboxOf(name)).toEqual(sandboxOf(cleanup));
  });
});

describe("the services' capabilities, on a read-only root", () => {
  const capabilities =
    /^CapabilityBoundingSet=(.+)$/m
      .exec(textOf(`${cleanup}.service`))?.[1]
      ?.toLowerCase()
      .split(' ') ?? [];

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

    expect((await confined(node, capabilities, ['check'])).exitCode).toBe(1);
    const fixed = await confined(node, capabilities, ['fix', '--yes']);

    expect(fixed.stderr).toBe('');
    expect(fixed.stdout).toContain('Healthy again.');
    expect(fixed.exitCode).toBe(0);
    const after = await node.snapshot();
    for (const family of ['Ipv4', 'Ipv6'] as const) {
      expect(after[`${ghosts}${family}`]).not.toContain('KUBE-');
      expect(after[`${live}${family}`]).toBe(before[`${live}${family}`]);
    }
  });

  it.each(capabilities)('do not contain %s for nothing', async (name) => {
    await using node = await startNode();
    await node.restore('legacy', 'ipv4', recorded.legacy.ipv4);
    await node.restore('nft', 'ipv4', recorded.nft.ipv4);

    const others = capabilities.filter((other) => other !== name);
    expect((await confined(node, others, ['check'])).exitCode).toBe(2);
  });
});

describeWithSystemd('the units, under a real systemd', () => {
  let image: Image;
  let node: LabNode;
  let debian: Debian;
  beforeAll(async () => {
    image = await prepareImage();
    node = await startNode();
    debian = await bootDebian(node, image);
    await installUnits(debian);
  }, 300_000);
  afterAll(async () => {
    await debian?.stop();
    await node?.stop();
    await image?.remove();
  });

  it('are what it has no complaint about', async () => {
    const all = names.flatMap((name) => [`${name}.service`, `${name}.timer`]);

    expect(await debian.exec(['systemd-analyze', 'verify', ...all])).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
  });

  it.each(names)('have an exposure of 4.0 of 10 or less: %s', async (name) => {
    const security = ['systemd-analyze', 'security', '--threshold=40', '--no-pager', `${name}.service`];

    const { exitCode, stdout } = await debian.exec(security);

    expect(stdout).toMatch(/Overall exposure level for k3s-[\w-]+\.service: [0-4]\.\d/);
    expect(exitCode).toBe(0);
  });

  it.each([
    { name: cleanup, own: ['/var/lib/k3s-doctor', '/run/k3s-doctor'] },
    { name: doctor, own: [] },
  ])('may write to nothing but the folders of $name: $own', async ({ name, own }) => {
    const places = '/etc /usr /var /var/lib /run /run/lock /root /home /proc/sys/net';
    const all = `${places} /var/lib/k3s-doctor /run/k3s-doctor`;

    const output = await runInstead(
      name,
      `for d in ${all}; do test -w $d && echo may write $d; done; grep ^Cap /proc/self/status`,
    );

    expect(output.match(/(?<=^may write ).*$/gm) ?? []).toEqual(own);
    // CAP_NET_ADMIN is bit 12, CAP_NET_RAW bit 13.
    expect(output).toMatch(/^CapEff:\s+0000000000003000$/m);
    expect(output).toMatch(/^CapBnd:\s+0000000000003000$/m);
  });

  it('let a run ask systemd for a timer that outlives it, and take it back', async () => {
    const timer = 'systemd-run --quiet --collect --timer-property=AccuracySec=1s';

    const output = await runInstead(
      cleanup,
      `
${timer} --on-active=1s --unit=lab-fires touch /etc/written-outside-the-sandbox; echo armed: $?
${timer} --on-active=1h --unit=lab-stopped true; echo armed: $?
systemctl stop lab-stopped.timer; echo stopped: $?
touch /etc/written-inside`,
    );

    expect(output).toContain('armed: 0\narmed: 0\nstopped: 0\n');
    expect(output).toContain("cannot touch '/etc/written-inside'");
    await expect
      .poll(() => debian.exec(['ls', '/etc/written-outside-the-sandbox']), patiently)
      .toEqual({
        exitCode: 0,
        stdout: '/etc/written-outside-the-sandbox\n',
        stderr: '',
      });
    // --collect: nothing is left of the one nor of the other.
    await expect
      .poll(
        async () => (await debian.systemctl('list-units', '--all', '--no-legend', 'lab-*')).stdout,
        patiently,
      )
      .toBe('');
  });

  it('leave no process behind: a watchdog of its own would be killed with the run', async () => {
    await runInstead(cleanup, 'setsid sleep 86399 >/dev/null 2>&1 </dev/null & sleep 0.1');

    expect((await debian.exec(['pgrep', '--full', 'sleep 86399'])).stdout).toBe('');
  });

  it.each([
    { name: cleanup, exitCode: 0, meaning: 'healthy', state: 'inactive', seconds: 300 },
    { name: cleanup, exitCode: 1, meaning: 'problems remain', state: 'failed', seconds: 300 },
    { name: cleanup, exitCode: 2, meaning: 'not determined', state: 'failed', seconds: 300 },
    { name: cleanup, exitCode: 3, meaning: 'a fix failed', state: 'failed', seconds: 300 },
    { name: cleanup, exitCode: 4, meaning: 'another run is at work', state: 'inactive', seconds: 300 },
    { name: doctor, exitCode: 0, meaning: 'healthy', state: 'inactive', seconds: 3600 },
    { name: doctor, exitCode: 1, meaning: 'problems remain', state: 'failed', seconds: 3600 },
    { name: doctor, exitCode: 2, meaning: 'not determined', state: 'failed', seconds: 3600 },
  ])(
    'leave $name $state when $meaning, and its timer goes on, counted from the end of the run',
    async ({ name, exitCode, state, seconds }) => {
      await debian.systemctl('start', `${name}.timer`);
      await runInstead(name, `exit ${exitCode}`);

      const { stdout } = await debian.systemctl(
        'show',
        '--property=ActiveState',
        '--value',
        `${name}.service`,
      );

      expect(stdout.trim()).toBe(state);
      expect(await secondsFromEndToNextRun(name)).toBeCloseTo(seconds);
      await debian.systemctl('stop', `${name}.timer`);
    },
  );

  it.each([
    { name: cleanup, boot: '2min', run: '5min', delay: '30s' },
    { name: doctor, boot: '10min', run: '1h', delay: '5min' },
  ])('run $name $boot after a boot and $run after a run, up to $delay later', async (timer) => {
    const { stdout } = await debian.systemctl('show', `${timer.name}.timer`);

    expect(stdout).toContain(`TimersMonotonic={ OnBootUSec=${timer.boot} ;`);
    expect(stdout).toContain(`TimersMonotonic={ OnUnitInactiveUSec=${timer.run} ;`);
    expect(stdout.match(/^Timers(Monotonic|Calendar)=/gm)).toHaveLength(2);
    expect(stdout).toMatch(new RegExp(`^RandomizedDelayUSec=${timer.delay}$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^Unit=${timer.name}\\.service$`, 'm'));
  });

  /** Runs a shell script in the place of the product, under the same unit. Returns what it printed. */
  async function runInstead(name: string, script: string): Promise<string> {
    await debian.writeFile('/root/script', script);
    const instead =
      '[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=\nExecStart=sh /root/script\nExecStopPost=\n';
    await dropIn(debian, `${name}.service`, instead);
    const earlier = await debian.journal(`${name}.service`);
    await debian.systemctl('start', `${name}.service`);
    return (await debian.journal(`${name}.service`)).slice(earlier.length);
  }

  async function secondsFromEndToNextRun(name: string): Promise<number> {
    const timers = await debian.systemctl('show', '--property=TimersMonotonic', `${name}.timer`);
    const [, next = ''] = /OnUnitInactiveUSec=.* next_elapse=(.*) \}/.exec(timers.stdout) ?? [];
    const timespan = await debian.run(['systemd-analyze', 'timespan', next]);
    const end = await debian.systemctl(
      'show',
      '--property=InactiveEnterTimestampMonotonic',
      `${name}.service`,
    );
    const [nextUs, endUs] = [/s: (\d+)$/m.exec(timespan)?.[1], /=(\d+)$/m.exec(end.stdout)?.[1]].map(Number);
    return ((nextUs ?? Number.NaN) - (endUs ?? Number.NaN)) / 1e6;
  }
});

/** All settings that shut something off. */
function sandboxOf(name: string): string[] {
  const settings = /^(Capability|NoNew|Protect|Private|ProcSubset|ReadOnly|Restrict|Lock|SystemCall|UMask)/;
  return textOf(`${name}.service`)
    .split('\n')
    .filter((line) => settings.test(line))
    .sort();
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
  const command = [process.execPath, `${root}src/cli/main.ts`, ...args];
  return node.exec(['unshare', '--mount', 'sh', '-ec', script, 'sh', ...command]);
}
