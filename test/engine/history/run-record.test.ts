import { expect, test } from 'vitest';
import { defaultConfig } from '../../../src/config/config.ts';
import { findOpenRun, readRunRecord } from '../../../src/engine/history/run-record.ts';
import type { BeginEvent } from '../../../src/engine/journal.ts';
import { memoryHost } from '../memory-host.ts';

const config = defaultConfig();
const { state } = config.paths;
const run = '20261121T120000000Z-7';

const begin: BeginEvent & { at: string } = {
  at: '2026-11-21T12:00:00.000Z',
  event: 'begin',
  verb: 'fix',
  by: 'root',
  pid: 7,
  processStart: '4711',
  bootId: 'b',
  why: [],
  steps: [],
  probes: [],
};

function nodeWith(files: Readonly<Record<string, string>>) {
  return memoryHost({
    [`${state}/journal/${run}.jsonl`]: `${JSON.stringify(begin)}\n`,
    [`${state}/journal/open`]: `${run}\n`,
    ...files,
  });
}

/** /proc/7/stat of a process that began at the given tick. */
function stat(tick: number): Record<string, string> {
  return { '/proc/7/stat': `7 (a) b) S ${'0 '.repeat(18)}${tick} 0 0` };
}

test.each([
  ['its process is there', stat(4711), true],
  ['another process has its number by now', stat(4712), false],
  ['its process is gone', {}, false],
])('an open run is at work only while it is so: %s', async (_, files, isAtWork) => {
  expect(await findOpenRun(nodeWith(files), config)).toMatchObject({ run, isAtWork, journal: { begin } });
});

test('without a name of an open run there is none, and a name that cannot be read is one', async () => {
  expect(await findOpenRun(memoryHost(), config)).toBeUndefined();
  const host = nodeWith({ [`${state}/journal/open`]: '\0' });
  expect(await findOpenRun(host, config)).toEqual({ run: '', journal: undefined, isAtWork: false });
});

test('a run is read with its journal and its backups', async () => {
  const host = nodeWith({ [`${state}/backups/${run}/0-nat`]: 'x', [`${state}/backups/${run}/1-a`]: 'y' });
  const record = await readRunRecord(host, config, run);
  expect(record.journal?.begin).toEqual(begin);
  expect(record.backups).toEqual([`${state}/backups/${run}/0-nat`, `${state}/backups/${run}/1-a`]);
});

test('a name that is none of a run reaches no file', async () => {
  const host = nodeWith({ [`${state}/backups/../secret`]: 'x' });
  expect(await readRunRecord(host, config, '..')).toEqual({ journal: undefined, backups: [] });
});
