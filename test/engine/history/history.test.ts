import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultConfig } from '../../../src/config/config.ts';
import { appendHistory, readHistory } from '../../../src/engine/history/history.ts';
import type { HistoryEntry } from '../../../src/engine/history/history-entry.ts';
import { memoryHost } from '../memory-host.ts';

const config = defaultConfig();
const file = `${config.paths.state}/history.jsonl`;

function entryOf(run: string, more: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    run,
    verb: 'fix',
    by: 'k3s-doctor.service',
    at: '2026-11-21T12:00:00.000Z',
    finishedAt: '2026-11-21T12:00:03.000Z',
    why: ['10.43.0.80:80/tcp → 10.42.0.5:8080 dead'],
    findings: ['iptables-ghosts ghost-service x'],
    steps: ['legacy ipv4 nat: remove 2 chains'],
    changes: 2,
    outcome: 'done',
    ...more,
  };
}

test('runs are read newest first, as they were written', async () => {
  const host = memoryHost();
  const entries = [
    entryOf('1'),
    entryOf('2', { outcome: 'reverted', reason: 'a probe fails', notes: ['n'], undoes: '1' }),
    entryOf('3', { verb: 'pause', outcome: 'paused' }),
  ];
  for (const entry of entries) expect(await appendHistory(host, config, entry)).toEqual({ kind: 'written' });
  expect(await readHistory(host, config)).toEqual({
    entries: entries.reverse(),
    damagedLines: 0,
    problems: [],
  });
});

test('a run that is there already is not added again', async () => {
  const host = memoryHost();
  for (const run of ['1', '2', '1', '2']) await appendHistory(host, config, entryOf(run));
  expect((await readHistory(host, config)).entries.map(({ run }) => run)).toEqual(['2', '1']);
  expect(host.written).toHaveLength(2);
});

test('a line that was cut short, anywhere, does not take the next one with it', async () => {
  const whole = memoryHost();
  await appendHistory(whole, config, entryOf('1'));
  await appendHistory(whole, config, entryOf('2'));
  const bytes = whole.files.get(file) ?? Buffer.of();
  const firstLine = bytes.indexOf('\n') + 1;
  for (let length = firstLine; length <= bytes.length; length++) {
    const host = memoryHost();
    host.files.set(file, bytes.subarray(0, length));
    await appendHistory(host, config, entryOf('3'));
    const { entries, damagedLines } = await readHistory(host, config);
    const survives = length >= bytes.length - 1;
    expect(entries.map(({ run }) => run)).toEqual(survives ? ['3', '2', '1'] : ['3', '1']);
    expect(damagedLines).toBe(survives || length === firstLine ? 0 : 1);
  }
});

test.each([
  ['of zeros', '\0'.repeat(300)],
  ['of another program', '{"run":"7"}'],
  ['with an outcome that does not exist', JSON.stringify({ ...entryOf('7'), outcome: 'perhaps' })],
  ['with a list that is none', JSON.stringify({ ...entryOf('7'), why: 'because' })],
])('a line %s is counted and left out', async (_, line) => {
  const host = memoryHost({ [file]: `${line}\n` });
  await appendHistory(host, config, entryOf('8'));
  const { entries, damagedLines } = await readHistory(host, config);
  expect(entries).toEqual([entryOf('8')]);
  expect(damagedLines).toBe(1);
});

test('what the history has to say of a huge run is short, and says how much is missing', async () => {
  const host = memoryHost();
  const many = Array.from({ length: 20_000 }, (_, i) => `${i}`);
  await appendHistory(host, config, entryOf('1', { why: many, findings: many, steps: many, notes: many }));
  const [entry] = (await readHistory(host, config)).entries;
  expect(entry?.why).toEqual(many.slice(0, 20));
  expect(entry?.omitted).toEqual({ why: 19_980, findings: 19_900, steps: 19_900, notes: 19_900 });
  expect(host.files.get(file)?.length).toBeLessThan(10_000);
});

const big = (run: number) => entryOf(`${run}`, { reason: 'x'.repeat(100_000) });

test('a full file gives way to a new one; the last three are kept, and nothing of those is lost', async () => {
  const host = memoryHost();
  for (let run = 1; run <= 60; run++) await appendHistory(host, config, big(run));
  const sizes = [...host.files].map(([path, bytes]) => [path, bytes.length <= 1024 * 1024]);
  expect(sizes.sort()).toEqual([file, `${file}.1`, `${file}.2`, `${file}.3`].map((path) => [path, true]));
  const runs = (await readHistory(host, config)).entries.map(({ run }) => Number(run));
  expect(runs).toEqual(Array.from({ length: runs.length }, (_, i) => 60 - i));
  expect(runs.length).toBeGreaterThan(30);
});

test.each([`${file}.1`, `${file}.2`, `${file}.3`, file])(
  'killed or out of room while it makes place at %s, nothing is lost or there twice',
  async (stuck) => {
    const host = memoryHost();
    for (let run = 1; run <= 40; run++) {
      if (run > 25) host.full.add(stuck);
      const result = await appendHistory(host, config, big(run));
      if (stuck === file && run > 25) expect(result.kind).toBe('failed');
    }
    host.full.clear();
    await appendHistory(host, config, big(41));
    const runs = (await readHistory(host, config)).entries.map(({ run }) => Number(run));
    expect(new Set(runs).size).toBe(runs.length);
    expect(runs[0]).toBe(41);
    expect(runs).toEqual([...runs].sort((a, b) => b - a));
    if (stuck !== file) expect(runs.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => 41 - i));
  },
);

test('a file that cannot be read is reported, and the others are read all the same', async () => {
  const host = memoryHost({ [`${file}.1`]: `${JSON.stringify(entryOf('1'))}\n` });
  host.unreadable.set(file, 'permission denied');
  expect(await readHistory(host, config)).toMatchObject({
    entries: [{ run: '1' }],
    problems: [`${file} cannot be read: permission denied`],
  });
});

const anyText = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
  .map((units) => String.fromCharCode(...units));

test('any text survives', async () => {
  await fc.assert(
    fc.asyncProperty(anyText, async (text) => {
      const host = memoryHost();
      const entry = entryOf('1', { why: [text], by: text });
      await appendHistory(host, config, entry);
      expect((await readHistory(host, config)).entries).toEqual([entry]);
    }),
  );
});
