import { existsSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { missingFolders } from '../../src/install/folders.ts';
import { planInstall } from '../../src/install/plan-install.ts';
import { planUninstall } from '../../src/install/plan-uninstall.ts';
import { type InstallableFolder, installableFolder, outline } from './installable-folder.ts';

async function installed(): Promise<InstallableFolder> {
  const folder = installableFolder();
  const { files, site } = folder;
  const missing = await missingFolders([folder.path('units'), folder.path('etc')], site.host);
  await folder.perform((await planInstall({ files, enable: [], missing }, site)).steps);
  return folder;
}

function plan(folder: InstallableFolder, { files = folder.files, purge = false } = {}) {
  return planUninstall({ files, purge }, folder.site);
}

const everything = [
  'daemon-reload',
  '- units/x.service',
  '- units/x.timer',
  '- etc/example.yaml',
  'daemon-reload',
  '- state/installed.json',
];

test('files go with the folders that were made for them, the record at last', async () => {
  const folder = await installed();
  const { steps, refused } = await plan(folder);
  expect(refused).toEqual([]);
  expect(outline(steps, folder)).toEqual(everything);
  await folder.perform(steps);
  expect(['units', 'etc', 'state/installed.json'].filter((name) => existsSync(folder.path(name)))).toEqual(
    [],
  );
  expect((await plan(folder)).steps).toEqual([]);
});

test('a folder that was there before stays', async () => {
  const folder = installableFolder();
  folder.write('units/other', '');
  rmSync(folder.path('units/other'));
  const { files, site } = folder;
  const missing = await missingFolders([folder.path('units'), folder.path('etc')], site.host);
  await folder.perform((await planInstall({ files, enable: [], missing }, site)).steps);
  await folder.perform((await plan(folder)).steps);
  expect(['units', 'etc'].filter((name) => existsSync(folder.path(name)))).toEqual(['units']);
});

test('another version knows its files by the record, and without one by their content', async () => {
  const folder = await installed();
  const other = folder.files.map(({ path }) => ({ path, content: 'another version\n' }));
  expect(outline((await plan(folder, { files: other })).steps, folder)).toEqual(everything);
  rmSync(folder.path('state'), { recursive: true });
  expect(outline((await plan(folder)).steps, folder)).toEqual(everything.slice(0, -1));
  expect(await plan(folder, { files: other })).toEqual({
    steps: [],
    obstacles: [],
    refused: [],
    notices: [],
  });
});

test('what was changed since is left and named, and its unit is stopped all the same', async () => {
  const folder = await installed();
  folder.write('units/x.timer', 'mine\n');
  folder.write('units/x.timer.d/mine.conf', '');
  folder.setUnit('x.timer', { enabled: 'enabled', active: 'active' });
  const { steps, refused, notices } = await plan(folder);
  expect(refused).toEqual([`${folder.path('units/x.timer')}: it was changed since it was installed`]);
  expect(notices).toEqual([`${folder.path('units/x.timer.d')} is left: what is in it is yours`]);
  expect(outline(steps, folder)).toEqual([
    'disable x.timer',
    'stop x.timer',
    ...everything.filter((step) => step !== '- units/x.timer'),
  ]);
});

test.each([
  [{ active: 'inactive' }, [], []],
  [{ active: 'unknown' }, [], []],
  [{ enabled: 'static', active: 'activating' }, ['stop x.service'], ['reset-failed x.service']],
  [{ enabled: 'enabled', active: 'failed' }, ['disable x.service'], ['reset-failed x.service']],
])('a service that is %j', async (state, before, after) => {
  const folder = await installed();
  folder.setUnit('x.service', state);
  expect(outline((await plan(folder)).steps, folder)).toEqual([...before, ...everything, ...after]);
});

test('a purge leaves the record to what comes after the run', async () => {
  const folder = await installed();
  expect(outline((await plan(folder, { purge: true })).steps, folder)).toEqual(everything.slice(0, -1));
});

test('a systemd that does not answer stops it all', async () => {
  const folder = await installed();
  const hanging = { ...folder.site.host, run: async () => ({ kind: 'timeout', timeoutMs: 10_000 }) as const };
  await expect(
    planUninstall({ files: folder.files, purge: false }, { ...folder.site, host: hanging }),
  ).rejects.toThrow(expect.objectContaining({ code: 'undetermined' }));
});
