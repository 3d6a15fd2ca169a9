import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { fileStatus } from '../../src/host/file-status.ts';
import { installFile } from '../../src/host/install-file.ts';
import { readTextFile } from '../../src/host/read-text-file.ts';
import { removeEmptyFolder, removeFile } from '../../src/host/remove-file.ts';
import { temporaryFolder } from './temporary-folder.ts';

const own = { mode: 0o644, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const isRoot = own.uid === 0;
const written = { kind: 'written' };

test.skipIf(!isRoot)('a file is put there with the owner and mode that it is to have', async () => {
  const path = join(temporaryFolder(), 'file');
  expect(await installFile(path, { text: 'new', mode: 0o4750, uid: 12, gid: 34 })).toEqual(written);
  expect(readFileSync(path, 'utf8')).toBe('new');
  expect(await fileStatus(path)).toEqual({ kind: 'file', mode: 0o4750, uid: 12, gid: 34 });
});

test('folders that are missing are made, 0755 whatever the umask', async () => {
  const folder = temporaryFolder();
  const before = process.umask(0o077);
  onTestFinished(() => void process.umask(before));
  expect(await installFile(join(folder, 'a/b/file'), { text: '', ...own, mode: 0o666 })).toEqual(written);
  const modeOf = (name: string) => statSync(join(folder, name)).mode & 0o777;
  expect(['a', 'a/b', 'a/b/file'].map(modeOf)).toEqual([0o755, 0o755, 0o666]);
});

test('who has the old file open, or linked elsewhere, goes on with the old one', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'file');
  writeFileSync(path, 'old');
  linkSync(path, join(folder, 'other'));
  expect(await installFile(path, { text: 'new', ...own })).toEqual(written);
  expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('old');
  expect(readdirSync(folder).sort()).toEqual(['file', 'other']);
});

test('every byte survives reading and writing back as latin1, and UTF-8 is the default', async () => {
  const path = join(temporaryFolder(), 'file');
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  writeFileSync(path, bytes);
  const read = await readTextFile(path, 'latin1');
  if (read.kind !== 'read') throw new Error(read.kind);
  expect(await installFile(path, { text: read.text, encoding: 'latin1', ...own })).toEqual(written);
  expect(readFileSync(path)).toEqual(bytes);
  expect(await installFile(path, { text: 'ä→', ...own })).toEqual(written);
  expect(readFileSync(path)).toEqual(Buffer.from('ä→', 'utf8'));
});

test.each([
  ['latin1', 'a→b'],
  ['utf8', 'a\ud800b'],
] as const)('a text that does not fit %s is refused', async (encoding, text) => {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, 'old');
  expect(await installFile(path, { text, encoding, ...own })).toEqual({
    kind: 'failed',
    reason: 'its text does not fit its encoding',
  });
  expect(readFileSync(path, 'utf8')).toBe('old');
});

test('what a killed process left beside it goes with the next write, and with a removal', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'file');
  const left = join(folder, '.file.k3s-doctor');
  writeFileSync(left, 'half');
  await installFile(path, { text: 'new', ...own });
  expect(readdirSync(folder)).toEqual(['file']);
  writeFileSync(left, 'half');
  await removeFile(path);
  expect(readdirSync(folder)).toEqual([]);
});

test('a link in the place of the name that is written to first is not followed', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'victim'), 'mine');
  symlinkSync('victim', join(folder, '.file.k3s-doctor'));
  expect(await installFile(join(folder, 'file'), { text: 'new', ...own })).toEqual(written);
  expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('mine');
});

test.each([
  ['a symbolic link', (path: string) => symlinkSync('target', path)],
  ['a symbolic link', (path: string) => symlinkSync('nowhere', path)],
  ['a folder', (path: string) => mkdirSync(path)],
])('%s at the path is left alone', async (what, make) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'target'), 'mine');
  const path = join(folder, 'path');
  make(path);
  const before = lstatSync(path);
  const refused = { kind: 'failed', reason: `it is ${what}` };
  expect(await fileStatus(path)).toEqual({ kind: 'other', what });
  expect(await installFile(path, { text: 'new', ...own })).toEqual(refused);
  expect(await removeFile(path)).toEqual(refused);
  expect(lstatSync(path)).toEqual(before);
  expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('mine');
  expect(readdirSync(folder).sort()).toEqual(['path', 'target']);
});

test('a folder that is a link is walked through, one that leads nowhere is not made', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'real'));
  symlinkSync('real', join(folder, 'link'));
  symlinkSync('none', join(folder, 'dangling'));
  expect(await installFile(join(folder, 'link/file'), { text: 'new', ...own })).toEqual(written);
  expect(readFileSync(join(folder, 'real/file'), 'utf8')).toBe('new');
  expect(await installFile(join(folder, 'dangling/file'), { text: 'new', ...own })).toMatchObject({
    kind: 'failed',
    reason: expect.stringContaining('ENOENT'),
  });
  expect(readdirSync(folder).sort()).toEqual(['dangling', 'link', 'real']);
});

test.each([
  ['it has changed', 'old', 'theirs'],
  ['it is there now', null, 'theirs'],
  ['it is gone', 'old', undefined],
])('%s: then nothing is written', async (reason, text, found) => {
  const folder = temporaryFolder();
  const path = join(folder, 'file');
  if (found !== undefined) writeFileSync(path, found);
  expect(await installFile(path, { text: 'new', ...own }, { text })).toEqual({ kind: 'failed', reason });
  expect(readdirSync(folder)).toEqual(found === undefined ? [] : ['file']);
  if (found !== undefined) expect(readFileSync(path, 'utf8')).toBe(found);
});

test('where nothing is written, no folder is made either', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'a/file');
  expect(await installFile(path, { text: 'new', ...own }, { text: 'old' })).toMatchObject({ kind: 'failed' });
  expect(readdirSync(folder)).toEqual([]);
});

test('what changes while the new file is written beside it is not written over', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'file');
  writeFileSync(path, 'old');
  let isOver = false;
  const installing = installFile(path, { text: 'new', ...own }, { text: 'old' }).finally(() => {
    isOver = true;
  });
  // Looks once in every turn of the event loop; owner, mode and sync take several.
  while (!isOver && !existsSync(join(folder, '.file.k3s-doctor'))) await nextTurn();
  writeFileSync(path, 'theirs');
  expect(await installing).toEqual({ kind: 'failed', reason: 'it has changed' });
  expect(readFileSync(path, 'utf8')).toBe('theirs');
  expect(readdirSync(folder)).toEqual(['file']);
});

test('what was expected is written over, and removed', async () => {
  const path = join(temporaryFolder(), 'file');
  expect(await installFile(path, { text: 'ä', ...own }, { text: null })).toEqual(written);
  expect(await installFile(path, { text: 'b', ...own }, { text: 'ä' })).toEqual(written);
  expect(await removeFile(path, { text: 'ä' })).toEqual({ kind: 'failed', reason: 'it has changed' });
  expect(await removeFile(path, { text: 'b' })).toEqual(written);
  expect(await fileStatus(path)).toEqual({ kind: 'absent' });
});

test('what is not there is removed already', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  for (const path of ['none', 'none/deeper', 'file/below'].map((name) => join(folder, name))) {
    expect(await fileStatus(path)).toEqual({ kind: 'absent' });
    expect(await removeFile(path)).toEqual(written);
    expect(await removeEmptyFolder(path)).toEqual(written);
  }
});

test('a folder goes only when it is one and holds nothing', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  symlinkSync('a', join(folder, 'link'));
  writeFileSync(join(folder, 'file'), '');
  expect(await removeEmptyFolder(join(folder, 'a'))).toEqual({
    kind: 'failed',
    reason: 'it holds something',
  });
  expect(await removeEmptyFolder(join(folder, 'link'))).toMatchObject({ kind: 'failed' });
  expect(await removeEmptyFolder(join(folder, 'file'))).toMatchObject({ kind: 'failed' });
  expect(await removeEmptyFolder(join(folder, 'a/b'))).toEqual(written);
  expect(await removeEmptyFolder(join(folder, 'a'))).toEqual(written);
  expect(readdirSync(folder).sort()).toEqual(['file', 'link']);
});

test('below /proc, where no folder can be made, it fails and ends', async () => {
  expect(await installFile('/proc/no/such/file', { text: '', ...own })).toMatchObject({ kind: 'failed' });
});

test.skipIf(!isRoot)('the state of a file is its own', async () => {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, '');
  chmodSync(path, 0o640);
  chownSync(path, 7, 8);
  expect(await fileStatus(path)).toEqual({ kind: 'file', mode: 0o640, uid: 7, gid: 8 });
  expect(await fileStatus('/dev/null')).toEqual({ kind: 'other', what: 'a device' });
});
