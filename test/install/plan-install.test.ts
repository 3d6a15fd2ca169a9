import { createHash } from 'node:crypto';
import { symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { planInstall } from '../../src/install/plan-install.ts';
import { type InstallableFolder, installableFolder, outline, readRecord } from './installable-folder.ts';

const everything = [
  '+ state/installed.json',
  'daemon-reload',
  '+ units/x.service',
  '+ units/x.timer',
  '+ etc/example.yaml',
  'daemon-reload',
];

function plan(folder: InstallableFolder, options: Partial<Parameters<typeof planInstall>[0]> = {}) {
  return planInstall({ files: folder.files, enable: [], missing: [], ...options }, folder.site);
}

test('the record comes first and names everything that is written, and the folders that are made', async () => {
  const folder = installableFolder();
  const missing = ['state', 'run', 'units', 'etc', 'elsewhere'].map((name) => folder.path(name));
  const { steps, obstacles } = await plan(folder, { missing });
  expect(obstacles).toEqual([]);
  expect(outline(steps, folder)).toEqual(everything);
  await folder.perform(steps.slice(0, 1));
  expect(readRecord(folder)).toEqual({
    schemaVersion: 1,
    files: Object.fromEntries(
      [...folder.files]
        .sort((a, b) => (a.path < b.path ? -1 : 1))
        .map(({ path, content }) => [path, [createHash('sha256').update(content).digest('hex')]]),
    ),
    folders: missing.slice(0, 4).sort(),
  });
});

test('what is installed already leaves nothing to do', async () => {
  const folder = installableFolder();
  const { steps } = await plan(folder);
  await folder.perform(steps);
  expect(await plan(folder, { missing: [folder.path('run')] })).toEqual({
    steps: [],
    obstacles: [],
    refused: [],
    notices: [],
  });
});

test('timers are enabled and started as far as they are not', async () => {
  const folder = installableFolder();
  folder.setUnit('k3s-doctor.timer', { enabled: 'enabled', active: 'inactive' });
  folder.setUnit('k3s-iptables-cleanup.timer', { enabled: 'disabled', active: 'active' });
  const { steps } = await plan(folder, { enable: ['doctor', 'cleanup'] });
  expect(outline(steps, folder).slice(everything.length)).toEqual([
    'start k3s-doctor.timer',
    'enable k3s-iptables-cleanup.timer',
  ]);
});

test('what an earlier install wrote is replaced, and both are remembered', async () => {
  const folder = installableFolder();
  const earlier = folder.files.map(({ path }) => ({ path, content: 'earlier\n' }));
  await folder.perform((await plan(folder, { files: earlier })).steps);
  const { steps, obstacles } = await plan(folder);
  expect(obstacles).toEqual([]);
  expect(outline(steps, folder)).toEqual(everything);
  await folder.perform(steps.slice(0, 1));
  // As after a run that was killed there.
  expect((await plan(folder)).obstacles).toEqual([]);
});

test("one file that is somebody else's stops it all", async () => {
  const folder = installableFolder();
  await folder.perform((await plan(folder)).steps);
  folder.write('units/x.timer', 'mine\n');
  const edited = await plan(folder, { enable: ['doctor'] });
  expect(edited.steps).toEqual([]);
  expect(edited.obstacles).toEqual([
    expect.stringMatching(/x\.timer was changed since .* \(systemctl edit x\.timer\)$/),
  ]);

  const other = installableFolder();
  other.write('etc/example.yaml', 'mine\n');
  symlinkSync('/dev/null', other.path('link'));
  const files = [
    ...other.files,
    { path: other.path('link'), content: '' },
    { path: other.path('etc'), content: '' },
  ];
  const { steps, obstacles } = await plan(other, { files });
  expect(steps).toEqual([]);
  expect(obstacles).toEqual([
    expect.stringMatching(/example\.yaml was not installed by doctor .* install again$/),
    expect.stringContaining('link is in the way: it is a symbolic link'),
    expect.stringContaining('etc is in the way: it is a folder'),
  ]);
});

test('without systemd only files are written, and that is said', async () => {
  const folder = installableFolder({ systemd: false });
  const { steps, notices } = await plan(folder, { enable: ['doctor'] });
  expect(outline(steps, folder)).toEqual(everything.filter((step) => step !== 'daemon-reload'));
  expect(notices).toEqual([expect.stringContaining('systemd is not at work here')]);
});

test('a damaged record counts as none, and is replaced', async () => {
  const folder = installableFolder();
  folder.write('state/installed.json', '{"files":{"a":1},"fold');
  const { steps } = await plan(folder);
  expect(outline(steps, folder)).toEqual(everything);
  await folder.perform(steps);
  expect((await plan(folder)).steps).toEqual([]);
});
