import { expect, test } from 'vitest';
import { defaultConfig } from '../../../src/config/config.ts';
import { emptyState } from '../../../src/engine/guards/parse-state.ts';
import type { State } from '../../../src/engine/guards/state.ts';
import { readState, setAside, writeState } from '../../../src/engine/guards/state-file.ts';
import { memoryHost } from '../memory-host.ts';
import { later } from './made-up-check.ts';

const config = defaultConfig();
const folder = config.paths.state;
const file = `${folder}/state.json`;
const at = '2026-11-21T12:00:00.000Z';

const full: State = {
  schemaVersion: 1,
  paused: { reason: 'Umzug · zurück', by: 'alice (sudo)', at, until: '2026-11-21T14:00:00.000Z' },
  findings: {
    'iptables-ghosts ghost-service → x': {
      seen: 2,
      lastSeenAt: at,
      packets: 7,
      lastAttemptAt: at,
      failedAttempts: 1,
      repeats: 2,
      plan: 'abc',
      undoneBy: '20261121T120000000Z-1',
    },
  },
  breaker: { failures: 3, openUntil: '2026-11-21T13:00:00.000Z' },
};

test('what is written is read again, every character of it', async () => {
  const host = memoryHost();
  expect(await writeState(host, config, full)).toEqual({ kind: 'written' });
  expect(await readState(host, config)).toEqual({ state: full });
});

test('without a file nothing is remembered and nothing is wrong', async () => {
  expect(await readState(memoryHost(), config)).toEqual({ state: emptyState });
});

const finding = full.findings['iptables-ghosts ghost-service → x'];
test.each([
  ['is empty', '', 'it is damaged'],
  ['was cut short', JSON.stringify(full).slice(0, -2), 'it is damaged'],
  ['holds something else', '[1]', 'it is damaged'],
  ['has no schema version', JSON.stringify({ ...full, schemaVersion: undefined }), 'it is damaged'],
  ['is of a newer version', JSON.stringify({ schemaVersion: 2 }), 'a newer k3s-doctor wrote it (schema 2)'],
  ['has no breaker', JSON.stringify({ ...full, breaker: undefined }), 'it is damaged'],
  [
    'has a time that is none',
    JSON.stringify({ ...full, findings: { k: { ...finding, lastSeenAt: '2026-13-45T99:00:00.000Z' } } }),
    'it is damaged',
  ],
  [
    'has a count that is none',
    JSON.stringify({ ...full, findings: { k: { ...finding, seen: -1 } } }),
    'it is damaged',
  ],
  [
    'has another count that is none',
    JSON.stringify({ ...full, findings: { k: { ...finding, repeats: 'many' } } }),
    'it is damaged',
  ],
  ['has a pause that is none', JSON.stringify({ ...full, paused: { reason: 1 } }), 'it is damaged'],
  ['is too large', 'x'.repeat(32 * 1024 * 1024 + 1), 'it is too large'],
])('a file that %s counts as nothing seen, and reading it changes nothing', async (_, text, reason) => {
  const host = memoryHost({ [file]: text });
  const { state, problem } = await readState(host, config);
  expect(state.findings).toEqual({});
  expect(state.breaker).toEqual({ failures: 0 });
  expect(problem).toBe(`${file} cannot be used: ${reason}; every finding counts as not seen before`);
  expect(host.written).toEqual([]);
});

test('it is kept byte by byte under another name, and does not come up again', async () => {
  const host = memoryHost();
  const bytes = Buffer.from([0x7b, 0xff, 0x00, 0xc3]);
  host.files.set(file, bytes);
  await setAside(host, config, await readState(host, config));
  expect(host.files.get(`${file}.unreadable-20261121T120000000Z`)).toEqual(bytes);
  expect(await readState(host, config)).toEqual({ state: emptyState });
});

test('a pause that can still be read holds on', async () => {
  const text = JSON.stringify({ schemaVersion: 7, paused: full.paused, whatever: true });
  const host = memoryHost({ [file]: text });
  const reading = await readState(host, config);
  expect(reading.state).toEqual({ ...emptyState, paused: full.paused });
  await setAside(host, config, reading);
  expect(await readState(host, config)).toEqual({ state: { ...emptyState, paused: full.paused } });
});

test('what cannot be read at all is left where it is', async () => {
  const host = memoryHost();
  host.unreadable.set(file, 'it is a directory');
  const reading = await readState(host, config);
  expect(reading.problem).toContain('it is a directory');
  expect(await setAside(host, config, reading)).toEqual({ kind: 'written' });
  expect(host.written).toEqual([]);
});

test('only the last five are kept, and the newest always, even if the clock went back', async () => {
  const host = memoryHost({ [`${folder}/history.jsonl`]: '' });
  for (const minutes of [1, 2, 3, 4, 5, 6, -100]) {
    host.clock = later(minutes);
    host.files.set(file, Buffer.from(`damaged ${minutes}`));
    await setAside(host, config, await readState(host, config));
  }
  const kept = [...host.files]
    .filter(([path]) => path.includes('unreadable'))
    .map(([, text]) => text.toString());
  expect(kept.sort()).toEqual(['damaged -100', 'damaged 3', 'damaged 4', 'damaged 5', 'damaged 6']);
  expect(host.files.has(`${folder}/history.jsonl`)).toBe(true);
});

test('when there is no room to keep it, it stays', async () => {
  const host = memoryHost({ [file]: 'damaged' });
  host.full.add(`${file}.unreadable-20261121T120000000Z`);
  expect(await setAside(host, config, await readState(host, config))).toMatchObject({ kind: 'failed' });
  expect(host.files.get(file)?.toString()).toBe('damaged');
});
