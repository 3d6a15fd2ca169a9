import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTextFile } from '../../src/host/read-text-file.ts';
import { temporaryFolder } from './temporary-folder.ts';

test('reads text, by default as UTF-8, byte by byte as latin1', async () => {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, Buffer.from([0x61, 0xc3, 0xa4, 0xff]));
  expect(await readTextFile(path)).toEqual({ kind: 'read', text: 'aä\u{fffd}' });
  expect(await readTextFile(path, 'latin1')).toEqual({ kind: 'read', text: 'a\u{c3}\u{a4}\u{ff}' });
});

test('a file that is not there is absent, also when a part of its path is a file', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('nowhere', join(folder, 'link'));
  expect(await readTextFile(join(folder, 'none'))).toEqual({ kind: 'absent' });
  expect(await readTextFile(join(folder, 'file/inner'))).toEqual({ kind: 'absent' });
  expect(await readTextFile(join(folder, 'link'))).toEqual({ kind: 'absent' });
});

test('never waits for a pipe', async () => {
  const path = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  expect(await readTextFile(path)).toEqual({ kind: 'unreadable', reason: 'it is not a regular file' });
});

test('folders and devices are not read', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'inner'));
  expect(await readTextFile(join(folder, 'inner'))).toEqual({
    kind: 'unreadable',
    reason: 'it is a directory',
  });
  expect(await readTextFile('/dev/zero')).toEqual({ kind: 'unreadable', reason: 'it is not a regular file' });
});

test('says why a file cannot be read', async () => {
  const path = join(temporaryFolder(), 'loop');
  symlinkSync(path, path);
  expect(await readTextFile(path)).toEqual({
    kind: 'unreadable',
    reason: expect.stringMatching(/symbolic links.*\(ELOOP\)/),
  });
});
