import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appendDurably, writeDurably } from '../../src/host/durable-files.ts';
import { temporaryFolder } from './temporary-folder.ts';

test('lines are added one below the other, in a folder and a file for root alone', async () => {
  const path = join(temporaryFolder(), 'new/journal.jsonl');
  expect(await appendDurably(path, 'eins')).toEqual({ kind: 'written' });
  expect(await appendDurably(path, 'zwölf')).toEqual({ kind: 'written' });
  expect(readFileSync(path, 'utf8')).toBe('eins\nzwölf\n');
  expect([statSync(path).mode & 0o777, statSync(join(path, '..')).mode & 0o777]).toEqual([0o600, 0o700]);
});

test('a line that was cut short does not swallow the next one', async () => {
  const path = join(temporaryFolder(), 'journal.jsonl');
  await appendDurably(path, 'whole');
  appendFileSync(path, '{"event":"confi');
  expect(await appendDurably(path, 'next')).toEqual({ kind: 'written' });
  expect(readFileSync(path, 'utf8')).toBe('whole\n{"event":"confi\nnext\n');
});

test('a folder in its place is a reason, and stays', async () => {
  const path = temporaryFolder();
  expect(await appendDurably(path, 'line')).toMatchObject({ kind: 'failed' });
  expect(await writeDurably(path, 'text')).toMatchObject({ kind: 'failed' });
  expect(statSync(path).isDirectory()).toBe(true);
});
