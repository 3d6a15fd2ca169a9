/** `doctor install` and `doctor uninstall`, with a systemctl that can be made to fail. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runDoctor } from '../ghosts/run-doctor.ts';
import { type InstallableNode, startInstallableNode } from './installable-node.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const install = ['install', '--yes', '--enable', 'cleanup,doctor'];
const units = '/etc/systemd/system';
const service = `${units}/k3s-iptables-cleanup.service`;
const timer = 'k3s-iptables-cleanup.timer';

describe('install', () => {
  it('writes units and example, then enables the timers; a second one finds nothing to do', async () => {
    await using node = await startInstallableNode();
    const first = await runDoctor(node, install);

    expect(first).toMatchObject({ exitCode: 0, stderr: '', report: { fix: { outcome: 'done' } } });
    expect(await node.changes()).toEqual([
      ...['daemon-reload', 'daemon-reload', `enable ${timer}`, `start ${timer}`],
      ...['enable k3s-doctor.timer', 'start k3s-doctor.timer'],
    ]);
    const names =
      'k3s-coredns.service k3s-coredns.timer k3s-doctor.service k3s-doctor.timer k3s-forward-rules.service k3s-iptables-cleanup.service k3s-iptables-cleanup.timer';
    const paths = [
      ...names.split(' ').map((name) => `${units}/${name}`),
      '/etc/k3s-doctor/config.example.yaml',
    ];
    const modes = await node.run(['stat', '-c', '%A %U %n', ...paths]);
    expect(modes.trim().split('\n')).toEqual(paths.map((path) => `-rw-r--r-- root ${path}`));
    const before = await node.allFiles();

    const again = await runDoctor(node, install);

    expect(again).toMatchObject({ exitCode: 0, report: { plan: [], fix: { outcome: 'nothing-to-do' } } });
    expect(again.report.notices).toEqual(['everything is installed already']);
    expect(await node.allFiles()).toBe(before);
    expect(await node.exec(['test', '-e', '/run/lab/changes'])).toMatchObject({ exitCode: 1 });
  });

  it('starts a service when it enables it, and not again; its end is not waited for', async () => {
    await using node = await startInstallableNode();
    const enable = ['install', '--yes', '--enable', 'forward-rules'];
    expect((await runDoctor(node, enable)).exitCode).toBe(0);
    expect((await node.changes()).slice(-2)).toEqual([
      'enable k3s-forward-rules.service',
      'start k3s-forward-rules.service',
    ]);
    expect((await runDoctor(node, enable)).report).toMatchObject({
      plan: [],
      fix: { outcome: 'nothing-to-do' },
    });
  });

  it('shows up in the history and can be undone', async () => {
    await using node = await startInstallableNode();
    const before = await node.files();
    const { report } = await runDoctor(node, install);
    const history = await node.doctor(['history']);
    expect(history.stdout).toMatch(new RegExp(`${report.run.id}.*install`));

    const undone = await runDoctor(node, ['undo', report.run.id, '--yes']);

    expect(undone).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expect(await node.files()).toBe(before);
    expect(await node.loaded()).toEqual([]);
  });

  it('names this very program in the units where systemd would not find it', async () => {
    await using node = await startInstallableNode();
    await runDoctor(node, ['install', '--yes']);
    const text = await node.readFile(service);
    expect(text).toMatch(/^ExecStart=\/\S+node \S*\/src\/cli\/main\.ts fix iptables-ghosts --unattended$/m);
    expect(text).toMatch(/^ExecStopPost=-\/\S+node \S*\/src\/cli\/main\.ts settle$/m);
    expect(text).toMatch(/^ExecStartPre=\+touch /m);
    expect(await node.changes()).toEqual(['daemon-reload', 'daemon-reload']);
  });

  it('writes nothing in a dry run, and shows what it would', async () => {
    await using node = await startInstallableNode();
    const before = await node.allFiles();
    const { exitCode, stdout } = await node.doctor(['install', '--dry-run', '--enable', 'doctor']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('this was a dry run');
    expect(stdout).toContain(`install -m 644 /dev/stdin ${service}`);
    expect(stdout).toContain('systemctl enable k3s-doctor.timer');
    expect(await node.allFiles()).toBe(before);
  });

  it('replaces what an earlier install wrote, and nothing that was edited since', async () => {
    await using node = await startInstallableNode();
    await runDoctor(node, install);
    await node.changes();
    const shipped = await node.readFile(service);
    // As if an older version had written it.
    await node.writeFile(service, 'older\n');
    const digest = (await node.run(['sha256sum', service])).slice(0, 64);
    const record = JSON.parse(await node.readFile('/var/lib/k3s-doctor/installed.json'));
    record.files[service] = [digest];
    await node.writeFile('/var/lib/k3s-doctor/installed.json', JSON.stringify(record), '600');

    expect(await runDoctor(node, install)).toMatchObject({
      exitCode: 0,
      report: { fix: { outcome: 'done' } },
    });
    expect(await node.readFile(service)).toBe(shipped);
    expect(await node.changes()).toEqual(['daemon-reload', 'daemon-reload']);

    await node.writeFile(service, `${shipped}# mine\n`);
    await node.writeFile(`${units}/k3s-doctor.timer`, 'older\n');
    const before = await node.allFiles();
    const refused = await runDoctor(node, install);
    expect(refused).toMatchObject({ exitCode: 1, report: { plan: [], fix: { outcome: 'not-applied' } } });
    expect(refused.report.notices.join('\n')).toMatch(
      /k3s-iptables-cleanup\.service was changed since it was installed.*systemctl edit k3s-iptables-cleanup\.service/,
    );
    expect(refused.report.notices.join('\n')).toContain(`${units}/k3s-doctor.timer was changed since`);
    expect(await node.allFiles()).toBe(before);
  });

  it('overwrites no file that it did not write, and no link', async () => {
    await using node = await startInstallableNode();
    await node.run(['ln', '-s', '/dev/null', `${units}/${timer}`]);
    await node.writeFile(service, 'mine\n');
    const before = await node.files();
    const { exitCode, report } = await runDoctor(node, install);
    expect(exitCode).toBe(1);
    expect(report.notices.join('\n')).toContain(`${units}/${timer} is in the way: it is a symbolic link`);
    expect(report.notices.join('\n')).toContain(`${service} was not installed by doctor`);
    expect(await node.files()).toBe(before);
  });

  it('writes the files and says what it leaves out where there is no systemd', async () => {
    await using node = await startInstallableNode();
    await node.run(['rm', '-r', '/run/systemd']);
    const { exitCode, report } = await runDoctor(node, install);
    expect(exitCode).toBe(0);
    expect(report.notices).toEqual([expect.stringContaining('systemd is not at work here')]);
    expect(await node.readFile(service)).toContain('ExecStart=');
    expect(await node.exec(['test', '-e', '/run/lab/changes'])).toMatchObject({ exitCode: 1 });
  });

  it.each([
    ['no root', ['install', '--yes'], 2, 'must be root'],
    ['nobody to ask', ['install'], 64, 'no terminal'],
    [
      'a unit that is none',
      ['install', '--yes', '--enable', 'cleanup,rules'],
      64,
      '"rules" to enable; there are cleanup, forward-rules, coredns, doctor',
    ],
  ])('says what is wrong: %s', async (what, args, exitCode, words) => {
    await using node = await startInstallableNode();
    const asWhom = what === 'no root' ? ['setpriv', '--reuid', '65534', '--clear-groups'] : [];
    const result = await node.exec([...asWhom, process.execPath, main, ...args]);
    expect(result).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining(words) });
    expect((await node.exec(['ls', '/var/lib/k3s-doctor'])).exitCode).not.toBe(0);
  });
});

describe('an install that fails', () => {
  it.each(['daemon-reload', `enable ${timer}`, `start ${timer}`, 'start k3s-doctor.timer'])(
    'at %s is taken back as a whole',
    async (call) => {
      await using node = await startInstallableNode();
      const before = await node.files();
      // Once: the roll-back needs the same command.
      const once = 'rm "/run/lab/at/$call.before"; echo no bus >&2; exit 1';
      await node.at(call, { before: once });

      const { exitCode, report } = await runDoctor(node, install);

      expect(report.fix).toMatchObject({
        outcome: 'failed',
        rollback: 'complete',
        reason: expect.stringContaining('no bus'),
      });
      expect(exitCode).toBe(3);
      expect(await node.files()).toBe(before);
      expect(await node.loaded()).toEqual([]);
      expect(await runDoctor(node, install)).toMatchObject({ exitCode: 0 });
    },
  );

  it('because /etc is read-only changes nothing and says so', async () => {
    await using node = await startInstallableNode();
    await node.run(['mount', '-o', 'remount,ro', '/etc']);
    const before = await node.files();
    const { exitCode, report } = await runDoctor(node, install);
    expect(exitCode).toBe(3);
    expect(report.fix).toMatchObject({ rollback: 'complete', reason: expect.stringContaining('read-only') });
    expect(await node.files()).toBe(before);
    expect((await node.exec(['ls', '/var/lib/k3s-doctor/installed.json'])).exitCode).not.toBe(0);
  });
});

const kill = 'kill -9 $PPID; sleep 0.1; exit';

describe.each(['before', 'after'] as const)('killed %s a command of systemctl', (moment) => {
  it.each(['daemon-reload', `enable ${timer}`])('%s: install is settled', async (call) => {
    await using node = await startInstallableNode();
    const before = await node.files();
    const killed = await killedAt(node, call, { moment, args: install });
    expect(killed).toBe(137);

    const settled = await node.doctor(['settle']);

    const isDone = settled.stdout.includes('done');
    if (!isDone) expect(await node.files()).toBe(before);
    expect(await runDoctor(node, install)).toMatchObject({ exitCode: 0 });
    expect(await runDoctor(node, install)).toMatchObject({ report: { fix: { outcome: 'nothing-to-do' } } });
    expect(await runDoctor(node, ['uninstall', '--yes'])).toMatchObject({ exitCode: 0 });
    expect(await node.files()).toBe(before);
  });

  it.each(['stop k3s-doctor.timer', 'daemon-reload'])('%s: uninstall is settled', async (call) => {
    await using node = await startInstallableNode();
    const before = await node.files();
    await runDoctor(node, install);
    const installed = await node.files();
    expect(await killedAt(node, call, { moment, args: ['uninstall', '--yes'] })).toBe(137);

    const settled = await node.doctor(['settle']);

    if (!settled.stdout.includes('done')) expect(await node.files()).toBe(installed);
    expect(await runDoctor(node, ['uninstall', '--yes'])).toMatchObject({ exitCode: 0 });
    expect(await node.files()).toBe(before);
  });
});

describe.each([
  ['install', install],
  ['uninstall', ['uninstall', '--yes']],
] as const)('%s killed at each line of its journal', (verb, args) => {
  it('is done or taken back by the next run, and a purge leaves nothing', async () => {
    await using node = await startInstallableNode();
    const bare = await node.allFiles();
    const without = await node.files();
    await runDoctor(node, install);
    const installed = await node.files();
    await node.doctor(['uninstall', '--purge', '--yes']);
    const settled: string[] = [];

    for (const line of [1, 3, 6, 9, 12, 15]) {
      if (verb === 'uninstall') await runDoctor(node, install);
      await node.run(['sh', '-c', killAtLine, `${line}`, process.execPath, main, ...args]);
      if (line % 2 === 0) {
        const { stdout } = await node.doctor(['settle']);
        if (stdout !== '') settled.push(stdout);
        const files = await node.files();
        expect(files).toBe(files === without ? without : installed);
      }
      const purged = await runDoctor(node, ['uninstall', '--purge', '--yes']);
      if (purged.report.settled) settled.push(purged.report.settled.outcome);
      expect(purged.exitCode).toBe(0);
      expect(await node.allFiles()).toBe(bare);
    }
    expect(settled.length).toBeGreaterThan(3);
  });
});

/** Ends the run when the newest journal has so many lines. */
const killAtLine = `
line=$0
newest() { ls /var/lib/k3s-doctor/journal/*.jsonl 2>/dev/null | tail -n 1; }
old=$(newest)
"$@" >/dev/null 2>&1 &
while kill -0 $! 2>/dev/null; do
  new=$(newest)
  [ "$new" = "$old" ] || [ "$(wc -l <$new)" -lt $line ] || kill -9 $! 2>/dev/null || :
done
`;

describe('uninstall', () => {
  it('stops, disables and removes what install wrote, and keeps the journal', async () => {
    await using node = await startInstallableNode();
    const before = await node.files();
    await runDoctor(node, ['install', '--yes']);
    // The operator's own doing.
    await node.run(['/run/lab/systemctl', 'enable', 'k3s-doctor.timer']);
    await node.setActivity('k3s-doctor.timer', 'active');
    await node.setActivity('k3s-doctor.service', 'activating');
    await node.setActivity('k3s-iptables-cleanup.service', 'failed');
    await node.changes();

    const removed = await runDoctor(node, ['uninstall', '--yes']);

    expect(removed).toMatchObject({ exitCode: 0, report: { fix: { outcome: 'done' } } });
    expect(await node.changes()).toEqual([
      ...['disable k3s-doctor.timer', 'stop k3s-doctor.timer', 'stop k3s-doctor.service'],
      ...['daemon-reload', 'daemon-reload', 'reset-failed k3s-iptables-cleanup.service'],
    ]);
    expect(await node.files()).toBe(before);
    expect((await node.doctor(['history'])).stdout).toMatch(/uninstall/);
    expect((await node.exec(['ls', '/var/lib/k3s-doctor/installed.json'])).exitCode).not.toBe(0);
    const again = await runDoctor(node, ['uninstall', '--yes']);
    expect(again.report).toMatchObject({ exitCode: 0, fix: { outcome: 'nothing-to-do' } });
    expect(again.report.notices).toEqual(['nothing that an install has written is left']);
  });

  it("leaves and names what was changed, and what is the operator's", async () => {
    await using node = await startInstallableNode();
    await runDoctor(node, install);
    await node.writeFile(service, 'mine\n');
    await node.writeFile(`${units}/${timer}.d/often.conf`, '[Timer]\nOnUnitInactiveSec=1min\n');

    const { exitCode, report } = await runDoctor(node, ['uninstall', '--yes']);

    expect(exitCode).toBe(1);
    expect(report.fix?.outcome).toBe('done');
    expect(report.notices.join('\n')).toContain(
      `left as it is: ${service}: it was changed since it was installed`,
    );
    expect(report.notices.join('\n')).toContain(`${units}/${timer}.d is left`);
    const left = await node.run(['find', units, '-path', '*k3s-*', '-type', 'f']);
    expect(left.trim().split('\n').sort()).toEqual([service, `${units}/${timer}.d/often.conf`]);
  });

  it('finds the files by their content when the record is lost', async () => {
    await using node = await startInstallableNode();
    const before = await node.files();
    await runDoctor(node, install);
    await node.run(['rm', '-r', '/var/lib/k3s-doctor']);
    expect(await runDoctor(node, ['uninstall', '--yes'])).toMatchObject({ exitCode: 0 });
    expect(await node.files()).toBe(before);
  });

  it('takes away a folder of units that it made', async () => {
    await using node = await startInstallableNode();
    const before = await node.allFiles();
    await runDoctor(node, ['install', '--yes', '--unit-dir', '/usr/local/lib/lab units/systemd']);
    expect(await node.readFile('/usr/local/lib/lab units/systemd/k3s-doctor.timer')).toContain('[Timer]');
    expect(await runDoctor(node, ['uninstall', '--yes', '--purge'])).toMatchObject({ exitCode: 0 });
    expect(await node.allFiles()).toBe(before);
  });

  it('is taken back as a whole when it fails', async () => {
    await using node = await startInstallableNode();
    await runDoctor(node, install);
    const before = await node.files();
    // The second time, when the files are gone.
    const once = `[ -e ${service} ] || { rm "/run/lab/at/$call.before"; exit 1; }`;
    await node.at('daemon-reload', { before: once });
    const { exitCode, report } = await runDoctor(node, ['uninstall', '--yes', '--purge']);
    expect(report.fix).toMatchObject({ outcome: 'failed', rollback: 'complete' });
    expect(exitCode).toBe(3);
    expect(await node.loaded()).toHaveLength(7);
    expect(await node.files()).toBe(before);
    expect(await runDoctor(node, install)).toMatchObject({ report: { fix: { outcome: 'nothing-to-do' } } });
  });
});

describe('uninstall --purge', () => {
  it('leaves the file system as it was before install', async () => {
    await using node = await startInstallableNode();
    const before = await node.allFiles();
    await runDoctor(node, install);
    await node.doctor(['pause', '--reason', 'for the lab']);
    await node.writeFile('/var/lib/k3s-doctor/state.json.unreadable-20261121T120000000Z', '{');
    await node.writeFile('/var/lib/k3s-doctor/.state.json.5e0bd2a4-7c1f-4c55-9d53-7d1a2b3c4d5e', '{');
    expect(await node.allFiles()).not.toBe(before);

    expect(await runDoctor(node, ['uninstall', '--purge', '--yes'])).toMatchObject({
      exitCode: 0,
      stderr: '',
    });

    expect(await node.allFiles()).toBe(before);
    expect(await runDoctor(node, ['uninstall', '--purge', '--yes'])).toMatchObject({
      exitCode: 0,
      report: { fix: { outcome: 'nothing-to-do' } },
    });
    expect(await node.allFiles()).toBe(before);
  });

  it('can follow an uninstall', async () => {
    await using node = await startInstallableNode();
    const before = await node.allFiles();
    await runDoctor(node, install);
    await runDoctor(node, ['uninstall', '--yes']);
    expect(await runDoctor(node, ['uninstall', '--purge', '--yes'])).toMatchObject({ exitCode: 0 });
    expect(await node.allFiles()).toBe(before);
  });

  it.each([
    '/var/lib/k3s-doctor/notes.txt',
    '/var/lib/k3s-doctor/backups/mine/file',
    '/run/k3s-doctor/socket',
  ])('removes nothing at all where there is something else: %s', async (path) => {
    await using node = await startInstallableNode();
    await runDoctor(node, install);
    await node.writeFile(path, 'mine\n');
    const before = await node.allFiles();
    const { exitCode, report } = await runDoctor(node, ['uninstall', '--purge', '--yes']);
    expect(exitCode).toBe(1);
    expect(report.fix?.outcome).toBe('not-applied');
    expect(report.notices.join('\n')).toContain(`${path.replace('/mine/file', '/mine')} is not doctor's`);
    expect(await node.allFiles()).toBe(before);
  });

  it('follows no link out of its folders', async () => {
    await using node = await startInstallableNode();
    await runDoctor(node, install);
    await node.run(['mv', '/var/lib/k3s-doctor/journal', '/run/lab/elsewhere']);
    await node.run(['ln', '-s', '/run/lab/elsewhere', '/var/lib/k3s-doctor/journal']);
    const { exitCode } = await runDoctor(node, ['uninstall', '--purge', '--yes']);
    expect(exitCode).toBe(1);
    expect(await node.run(['ls', '/run/lab/elsewhere'])).toMatch(/\.jsonl/);
  });
});

async function killedAt(
  node: InstallableNode,
  call: string,
  { moment, args }: { readonly moment: 'before' | 'after'; readonly args: readonly string[] },
): Promise<number> {
  await node.at(call, { [moment]: `rm "/run/lab/at/$call.${moment}"; ${kill}` });
  return (await node.doctor(args)).exitCode;
}
