import { expect, test } from 'vitest';
import { pauseRepairs } from '../../src/cli/pause-command.ts';
import { resumeRepairs } from '../../src/cli/resume-command.ts';
import { defaultConfig } from '../../src/config/config.ts';
import { emptyState } from '../../src/engine/guards/parse-state.ts';
import { pauseOf } from '../../src/engine/guards/pause.ts';
import type { State } from '../../src/engine/guards/state.ts';
import { readState, writeState } from '../../src/engine/guards/state-file.ts';
import { readHistory } from '../../src/engine/history/history.ts';
import { memoryHost } from '../engine/memory-host.ts';

const config = defaultConfig();
const stateFile = `${config.paths.state}/state.json`;
const moving = { reason: 'moving the node', minutes: 120 };

const remembered: State = {
  ...emptyState,
  findings: { k: { seen: 1, lastSeenAt: '2026-11-21T12:00:00.000Z', failedAttempts: 0 } },
  breaker: { failures: 3, openUntil: '2026-11-21T12:30:00.000Z' },
};

test('a pause says who, until when and why, and leaves everything else as it was', async () => {
  const host = memoryHost();
  await writeState(host, config, remembered);
  const { said, problems } = await pauseRepairs(host, config, moving);
  expect(said).toMatch(/^Repairs are paused by .+ until 2026-11-21 14:00 UTC, because: moving the node$/);
  expect(problems).toEqual([]);
  const { state } = await readState(host, config);
  expect(state).toMatchObject(remembered);
  expect(pauseOf(state, new Date('2026-11-21T13:59:59.999Z'))).toMatchObject({ reason: 'moving the node' });
  expect(pauseOf(state, new Date('2026-11-21T14:00:00.000Z'))).toBeUndefined();
});

test('without a duration it lasts until somebody resumes', async () => {
  const host = memoryHost();
  const { said } = await pauseRepairs(host, config, { ...moving, minutes: undefined });
  expect(said).toContain('until "doctor resume" is run, because: moving the node');
  const { state } = await readState(host, config);
  expect(pauseOf(state, new Date('2099-01-01T00:00:00.000Z'))).toBeDefined();
});

test('resuming ends the pause and the rest after failures, and names both', async () => {
  const host = memoryHost();
  await writeState(host, config, remembered);
  await pauseRepairs(host, config, moving);
  const { said } = await resumeRepairs(host, config);
  expect(said).toMatch(
    /^Repairs are made again\. They were paused by .+: moving the node and stopped until 2026-11-21 12:30 UTC by failed runs \(guards\.breaker\)$/,
  );
  expect((await readState(host, config)).state).toEqual({ ...remembered, breaker: { failures: 0 } });
});

test('where nothing is paused, or not any more, resuming changes nothing', async () => {
  const host = memoryHost();
  expect((await resumeRepairs(host, config)).said).toBe('Nothing was paused.');
  await pauseRepairs(host, config, moving);
  host.clock = new Date('2026-11-21T15:00:00.000Z');
  const before = host.written.length;
  expect((await resumeRepairs(host, config)).said).toBe('Nothing was paused.');
  expect(host.written).toHaveLength(before);
});

test('both are in the history', async () => {
  const host = memoryHost();
  await pauseRepairs(host, config, moving);
  host.clock = new Date('2026-11-21T12:01:00.000Z');
  await resumeRepairs(host, config);
  const { entries } = await readHistory(host, config);
  expect(entries.map(({ verb, outcome }) => [verb, outcome])).toEqual([
    ['resume', 'resumed'],
    ['pause', 'paused'],
  ]);
  for (const { why } of entries) expect(why[0]).toContain('moving the node');
});

test('a damaged state file is set aside first, and that is said', async () => {
  const host = memoryHost({ [stateFile]: 'damaged' });
  const { problems } = await pauseRepairs(host, config, moving);
  expect(problems).toEqual([expect.stringContaining('it is damaged')]);
  expect([...host.files.keys()].some((path) => path.startsWith(`${stateFile}.unreadable-`))).toBe(true);
  expect((await readState(host, config)).state.paused).toMatchObject({ reason: 'moving the node' });
});

test('a pause that cannot be written is an error, and one that cannot be noted is said', async () => {
  const host = memoryHost();
  host.full.add(stateFile);
  await expect(pauseRepairs(host, config, moving)).rejects.toMatchObject({ code: 'fix-failed' });
  host.full.clear();
  host.full.add(`${config.paths.state}/history.jsonl`);
  const { said, problems } = await pauseRepairs(host, config, moving);
  expect(said).toContain('paused by');
  expect(problems).toEqual(['the history could not be written: no space left on the device']);
});

test('while a run is at work neither is done, and the lock is given back afterwards', async () => {
  const host = memoryHost();
  let released = 0;
  host.lock = async () => ({ kind: 'held', release: async () => void released++ });
  await pauseRepairs(host, config, moving);
  expect(released).toBe(1);
  host.lock = async () => ({ kind: 'busy', holder: 'pid 7, fix' });
  const before = host.written.length;
  await expect(pauseRepairs(host, config, moving)).rejects.toMatchObject({ code: 'locked' });
  await expect(resumeRepairs(host, config)).rejects.toMatchObject({ code: 'locked' });
  expect(host.written).toHaveLength(before);
});
