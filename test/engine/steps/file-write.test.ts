import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FileWriteStep, Step } from '../../../src/engine/step.ts';
import { type FileBefore, fileWrite } from '../../../src/engine/steps/file-write.ts';
import { temporaryFolder } from '../../host/temporary-folder.ts';
import { liveNode } from './live-node.ts';

const context = liveNode();
const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

function write(path: string, change: Partial<FileWriteStep>): FileWriteStep {
  return { kind: 'file-write', path, content: 'new\n', basedOn: null, mode: 0o644, owner, ...change };
}

async function needed(step: FileWriteStep): Promise<FileBefore> {
  const probed = await fileWrite.probe(step, context);
  if (probed.kind !== 'needed') throw new Error(JSON.stringify(probed));
  return probed.before;
}

/** Does a step as the engine would, and returns the one that takes it back, as another process would know it. */
async function perform(step: FileWriteStep): Promise<FileWriteStep> {
  const before = await needed(step);
  const kept = Buffer.from(fileWrite.backup.print(before), 'latin1').toString('utf8');
  expect(await fileWrite.apply(step, before, context)).toEqual({ kind: 'written' });
  expect(await fileWrite.verify(step, before, context)).toEqual({ kind: 'as-planned', notes: [] });
  expect(await fileWrite.probe(step, context)).toEqual({ kind: 'done', notes: [] });
  const recalled = fileWrite.backup.parse(kept);
  if (recalled === undefined) throw new Error('a damaged backup');
  return inverseOf(step, recalled);
}

function inverseOf(step: FileWriteStep, before: FileBefore): FileWriteStep {
  const inverse: Step | undefined = fileWrite.revert(step, before);
  if (inverse?.kind !== 'file-write') throw new Error('no inverse');
  return JSON.parse(JSON.stringify(inverse));
}

describe('what is written and taken back', () => {
  test('a new file, with the folders above it: all are gone again', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a/b/file');
    const inverse = await perform(write(path, { mode: 0o640 }));
    expect(readFileSync(path, 'utf8')).toBe('new\n');
    expect(statSync(path).mode & 0o777).toBe(0o640);
    await perform(inverse);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.skipIf(owner.uid !== 0)('a file that is there keeps its owner and mode, forth and back', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'old\n');
    chmodSync(path, 0o604);
    chownSync(path, 12, 34);
    const inverse = await perform(write(path, { basedOn: 'old\n', mode: 0o777 }));
    const { uid, gid, mode } = statSync(path);
    expect([uid, gid, mode & 0o777]).toEqual([12, 34, 0o604]);
    await perform(inverse);
    expect(readFileSync(path, 'utf8')).toBe('old\n');
    expect(statSync(path)).toMatchObject({ uid: 12, gid: 34 });
  });

  test.skipIf(owner.uid !== 0)('a removed file comes back with its owner and mode', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, 'old\n');
    chmodSync(path, 0o4710);
    chownSync(path, 12, 34);
    chmodSync(path, 0o4710);
    const inverse = await perform(write(path, { content: null, basedOn: 'old\n' }));
    expect(readdirSync(join(path, '..'))).toEqual([]);
    await perform(inverse);
    expect(statSync(path)).toMatchObject({ uid: 12, gid: 34 });
    expect(statSync(path).mode & 0o7777).toBe(0o4710);
  });

  test('any text, and as latin1 any bytes, come back as they were', async () => {
    const path = join(temporaryFolder(), 'file');
    const text = fc.string({ unit: 'grapheme' }).map((content) => ({ content, encoding: 'utf8' }) as const);
    const bytes = fc
      .uint8Array()
      .map((array) => ({ content: Buffer.from(array).toString('latin1'), encoding: 'latin1' }) as const);
    const anything = fc.oneof(text, bytes);
    await fc.assert(
      fc.asyncProperty(anything, fc.string({ unit: 'grapheme' }), async ({ content, encoding }, added) => {
        const original = Buffer.from(content, encoding);
        writeFileSync(path, original);
        const more = encoding === 'latin1' ? Buffer.from(added, 'utf8').toString('latin1') : added;
        const step = write(path, { content: `${content}x${more}`, basedOn: content, encoding });
        const inverse = await perform(step);
        expect(readFileSync(path)).toEqual(Buffer.from(step.content ?? '', encoding));
        await perform(inverse);
        expect(readFileSync(path)).toEqual(original);
      }),
      { numRuns: 60 },
    );
  });

  test('a folder that somebody else uses by now stays, and is named', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a/b/file');
    const inverse = await perform(write(path, {}));
    writeFileSync(join(folder, 'a/theirs'), '');
    const before = await needed(inverse);
    expect(await fileWrite.apply(inverse, before, context)).toEqual({ kind: 'written' });
    expect(await fileWrite.verify(inverse, before, context)).toEqual({
      kind: 'as-planned',
      notes: [`${join(folder, 'a')} stays: there is something in it`],
    });
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(['a', 'a/theirs']);
    expect(await fileWrite.probe(inverse, context)).toEqual({ kind: 'done', notes: [] });
  });
});

describe('killed in the middle of it', () => {
  test('folders that were made, and the file beside it, are taken back', async () => {
    const folder = temporaryFolder();
    const step = write(join(folder, 'a/b/file'), {});
    const before = await needed(step);
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    writeFileSync(join(folder, 'a/b/.file.k3s-doctor'), 'ne');
    await perform(inverseOf(step, before));
    expect(readdirSync(folder)).toEqual([]);
  });

  test('the file beside one that was to be replaced goes, too', async () => {
    const path = join(temporaryFolder(), 'unit');
    writeFileSync(path, 'old\n');
    const step = write(path, { basedOn: 'old\n' });
    const before = await needed(step);
    writeFileSync(join(path, '../.unit.k3s-doctor'), 'new\n');

    const inverse = fileWrite.revert(step, before);
    if (inverse?.kind !== 'file-write') throw new Error('there is no inverse step');
    await fileWrite.apply(inverse, await needed(inverse), context);

    expect(readdirSync(join(path, '..'))).toEqual(['unit']);
    expect(readFileSync(path, 'utf8')).toBe('old\n');
    expect(await fileWrite.probe(inverse, context)).toEqual({ kind: 'done', notes: [] });
  });

  test('before anything was written there is nothing to take back', async () => {
    const folder = temporaryFolder();
    const step = write(join(folder, 'a/file'), {});
    const inverse = inverseOf(step, await needed(step));
    expect(await fileWrite.probe(inverse, context)).toEqual({ kind: 'done', notes: [] });
  });
});

describe('a node that has moved on', () => {
  test.each([
    ['it was not there', { basedOn: null }, 'theirs\n'],
    ['it is gone', { basedOn: 'old\n' }, undefined],
    ['line 2 is another one', { basedOn: 'a\nb\n' }, 'a\nB\n'],
    ['line 3 is another one', { basedOn: 'a\nb\n' }, 'a\nb\nsecret\n'],
  ])('%s: nothing is done, and no content is told', async (what, change, found) => {
    const path = join(temporaryFolder(), 'file');
    if (found !== undefined) writeFileSync(path, found);
    for (const content of ['new\n', 'newer\n']) {
      expect(await fileWrite.probe(write(path, { ...change, content }), context)).toEqual({
        kind: 'moved-on',
        reason: `${path} was changed since: ${what}`,
      });
    }
  });

  test('a file that is as planned already, or gone as planned, is done', async () => {
    const path = join(temporaryFolder(), 'file');
    const done = { kind: 'done', notes: [] };
    expect(await fileWrite.probe(write(path, { basedOn: 'old\n', content: null }), context)).toEqual(done);
    writeFileSync(path, 'new\n');
    expect(await fileWrite.probe(write(path, { basedOn: 'old\n' }), context)).toEqual(done);
  });

  test('what changes between the look and the write is noticed', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'file');
    for (const content of ['new\n', null]) {
      writeFileSync(path, 'old\n');
      const step = write(path, { basedOn: 'old\n', content });
      const before = await needed(step);
      writeFileSync(path, 'theirs\n');
      expect(await fileWrite.apply(step, before, context)).toEqual({
        kind: 'failed',
        reason: `${path}: it has changed`,
      });
      expect(await fileWrite.verify(step, before, context)).toMatchObject({ kind: 'not-as-planned' });
      expect(readFileSync(path, 'utf8')).toBe('theirs\n');
    }
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('what somebody else put in the place of a new file stays', async () => {
    const path = join(temporaryFolder(), 'file');
    const step = write(path, {});
    const before = await needed(step);
    symlinkSync('/etc/hostname', path);
    expect(await fileWrite.apply(step, before, context)).toMatchObject({ kind: 'failed' });
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });

  test('what was edited after the step is not taken back', async () => {
    const path = join(temporaryFolder(), 'file');
    const inverse = await perform(write(path, {}));
    writeFileSync(path, 'new\nand theirs\n');
    expect(await fileWrite.probe(inverse, context)).toEqual({
      kind: 'moved-on',
      reason: `${path} was changed since: line 2 is another one`,
    });
  });

  test('a write that changed owner or mode is not as planned', async () => {
    const path = join(temporaryFolder(), 'file');
    const step = write(path, {});
    const before = await needed(step);
    await fileWrite.apply(step, before, context);
    chmodSync(path, 0o666);
    expect(await fileWrite.verify(step, before, context)).toEqual({
      kind: 'not-as-planned',
      reason: `${path} has another owner or mode than planned`,
    });
  });
});

describe('what is no plain text file', () => {
  test.each([
    ['a symbolic link', (path: string) => symlinkSync('target', path)],
    ['a symbolic link', (path: string) => symlinkSync('nowhere', path)],
    ['a folder', (path: string) => mkdirSync(path)],
  ])('%s is left alone', async (what, make) => {
    const folder = temporaryFolder();
    const path = join(folder, 'file');
    writeFileSync(join(folder, 'target'), 'old\n');
    make(path);
    for (const content of ['new\n', null]) {
      expect(await fileWrite.probe(write(path, { basedOn: 'old\n', content }), context)).toEqual({
        kind: 'moved-on',
        reason: `${path} is ${what}, not a file`,
      });
    }
  });

  test('a file in the place of a folder', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'a'), '');
    expect(await fileWrite.probe(write(join(folder, 'a/b/file'), {}), context)).toEqual({
      kind: 'moved-on',
      reason: `${join(folder, 'a')} is a file, not a folder`,
    });
  });

  test('a folder that is a link is used, and not taken away', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'link'));
    await perform(await perform(write(join(folder, 'link/a/file'), {})));
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(['link', 'real']);
  });

  test('bytes that are no UTF-8 are not rewritten as if they were', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, Buffer.from([0x61, 0xff]));
    expect(await fileWrite.probe(write(path, { basedOn: 'a\ufffd' }), context)).toEqual({
      kind: 'moved-on',
      reason: `${path} is not UTF-8 text`,
    });
  });

  test('what cannot be looked at is a failure', async () => {
    const path = join(temporaryFolder(), 'x'.repeat(300));
    expect(await fileWrite.probe(write(path, {}), context)).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('ENAMETOOLONG'),
    });
  });
});

test.each([
  [{}, 'write /etc/x (1 line)', 'install -m 644 -o 7 -g 8 /dev/stdin /etc/x', 'new\n'],
  [{ content: 'a\n\nb' }, 'write /etc/x (3 lines)', 'install -m 644 -o 7 -g 8 /dev/stdin /etc/x', 'a\n\nb'],
  [{ content: '', basedOn: 'old' }, 'write /etc/x (0 lines)', 'tee /etc/x', ''],
  [{ content: null, basedOn: 'old' }, 'remove /etc/x', 'rm /etc/x', undefined],
  [
    { content: '\u{c3}\u{a4}', basedOn: '', encoding: 'latin1' } as const,
    'write /etc/x (1 line)',
    'tee /etc/x',
    'ä',
  ],
])('%j is described', (change, title, command, input) => {
  const step = { ...write('/etc/x', change), owner: { uid: 7, gid: 8 } };
  expect(fileWrite.describe(step)).toEqual({
    title,
    command,
    input,
    changes: 1,
    reversible: true,
    firewall: false,
    volatile: false,
  });
});

test('a path that a shell would take apart is quoted, one below /run is volatile', () => {
  const { command, volatile } = fileWrite.describe(write("/run/it's", { content: null }));
  expect([command, volatile]).toEqual([`rm '/run/it'\\''s'`, true]);
});

test('a damaged backup is none', () => {
  const before = {
    file: { content: 'ä→\u0000', mode: 0o644, uid: 0, gid: 0 },
    missingFolders: ['/etc/a'],
  };
  const text = fileWrite.backup.print(before);
  expect(text).toMatch(/^[\u0000-\u007e]*$/);
  expect(fileWrite.backup.parse(text)).toEqual(before);
  expect(fileWrite.backup.parse(fileWrite.backup.print({ ...before, file: null }))).toEqual({
    ...before,
    file: null,
  });
  expect(fileWrite.backup.name(write('/etc/ä b', {}))).toBe('__b.json');
  const damaged = [
    '',
    text.slice(0, -3),
    '[]',
    '{}',
    '{"file": null}',
    '{"file": null, "missingFolders": [1]}',
    '{"file": {"content": 1, "mode": 0, "uid": 0, "gid": 0}, "missingFolders": []}',
    '{"file": {"content": "", "mode": -1, "uid": 0, "gid": 0}, "missingFolders": []}',
  ];
  expect(damaged.map((each) => fileWrite.backup.parse(each))).toEqual(damaged.map(() => undefined));
});
