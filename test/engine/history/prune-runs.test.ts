import { expect, test } from 'vitest';
import { type Config, defaultConfig } from '../../../src/config/config.ts';
import { latestRunId } from '../../../src/engine/history/latest-run-id.ts';
import { pruneRuns } from '../../../src/engine/history/prune-runs.ts';
import { memoryHost } from '../memory-host.ts';

const { state } = defaultConfig().paths;
const idOf = (n: number) => `2026112${n}T120000000Z-${n}`;

function keep(history: Partial<Config['history']>): Config {
  const config = defaultConfig();
  return { ...config, history: { ...config.history, ...history } };
}

/** Runs 1 to 5, of 300 kB each. */
function fiveRuns() {
  const files = [1, 2, 3, 4, 5].flatMap((n): [string, string][] => [
    [`${state}/journal/${idOf(n)}.jsonl`, 'j'.repeat(100_000)],
    [`${state}/backups/${idOf(n)}/0-nat`, 'b'.repeat(100_000)],
    [`${state}/backups/${idOf(n)}/.1-nat.half-written`, 'b'.repeat(100_000)],
  ]);
  return memoryHost({
    ...Object.fromEntries(files),
    [`${state}/state.json`]: '{}',
    [`${state}/journal/notes`]: '',
  });
}

function left(host: ReturnType<typeof memoryHost>): string[] {
  return [...host.files.keys()].map((path) => path.slice(state.length + 1)).sort();
}

test('runs beyond the number to be kept go with all that belongs to them, and nothing else', async () => {
  const host = fiveRuns();
  expect(await pruneRuns(host, keep({ runs: 2 }))).toEqual([idOf(3), idOf(2), idOf(1)]);
  expect(left(host)).toEqual([
    `backups/${idOf(4)}/.1-nat.half-written`,
    `backups/${idOf(4)}/0-nat`,
    `backups/${idOf(5)}/.1-nat.half-written`,
    `backups/${idOf(5)}/0-nat`,
    `journal/${idOf(4)}.jsonl`,
    `journal/${idOf(5)}.jsonl`,
    'journal/notes',
    'state.json',
  ]);
});

test('so do those beyond the room they may take', async () => {
  expect(await pruneRuns(fiveRuns(), keep({ megabytes: 1 }))).toEqual([idOf(2), idOf(1)]);
});

test('within both nothing is written', async () => {
  const host = fiveRuns();
  expect(await pruneRuns(host, keep({ runs: 5, megabytes: 2 }))).toEqual([]);
  expect(host.written).toEqual([]);
});

test('the newest run and the open one stay, whatever they take', async () => {
  const host = fiveRuns();
  host.files.set(`${state}/journal/open`, Buffer.from(`${idOf(1)}\n`));
  expect(await pruneRuns(host, keep({ runs: 1, megabytes: 0 }))).toEqual([idOf(4), idOf(3), idOf(2)]);
});

test('nothing goes while it cannot be told which run is open', async () => {
  const host = fiveRuns();
  host.files.set(`${state}/journal/open`, Buffer.from('\0\0'));
  expect(await pruneRuns(host, keep({ runs: 1 }))).toEqual([]);
  host.unreadable.set(`${state}/journal/open`, 'input/output error');
  expect(await pruneRuns(host, keep({ runs: 1 }))).toEqual([]);
});

test('backups never go before the journal that needs them, and are found again without it', async () => {
  const host = fiveRuns();
  host.full.add(`${state}/journal/${idOf(1)}.jsonl`);
  host.full.add(`${state}/backups/${idOf(2)}/0-nat`);
  await pruneRuns(host, keep({ runs: 2 }));
  expect(left(host)).toContain(`backups/${idOf(1)}/0-nat`);
  expect(left(host)).toContain(`backups/${idOf(2)}/0-nat`);
  expect(left(host)).not.toContain(`journal/${idOf(2)}.jsonl`);
  host.full.clear();
  expect(await pruneRuns(host, keep({ runs: 2 }))).toEqual([idOf(2), idOf(1)]);
  expect(left(host).filter((path) => path.includes(idOf(1)) || path.includes(idOf(2)))).toEqual([]);
});

test('the newest run is known by its journal', async () => {
  expect(await latestRunId(fiveRuns(), defaultConfig())).toBe(idOf(5));
  expect(await latestRunId(memoryHost(), defaultConfig())).toBeUndefined();
});
