import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { appendDurably, writeDurably } from '../../src/host/durable-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'k3s-doctor-'));
const path = join(folder, 'journal.jsonl');
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('lines follow each other', async () => {
  await appendDurably(path, 'one');
  await appendDurably(path, 'two →');
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo →\n');
});

test('a line that a crash cut short does not swallow the next one', async () => {
  await appendDurably(path, 'one');
  writeFileSync(path, 'one\n{"event":"st');
  await appendDurably(path, 'two');
  expect(readFileSync(path, 'utf8')).toBe('one\n{"event":"st\ntwo\n');
});

test('what a crash left beside a file goes with the next write', async () => {
  await writeDurably(path, 'old');
  writeFileSync(join(folder, '.journal.jsonl.k3s-doctor'), 'half');
  expect(await writeDurably(path, 'new')).toEqual({ kind: 'written' });
  expect(readFileSync(path, 'latin1')).toBe('new');
});
