import { pino } from 'pino';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { scheduleRuns } from '../../../src/cli/daemon/schedule-runs.ts';
import type { ScheduledRun } from '../../../src/config/config.ts';
import { DoctorError } from '../../../src/doctor-error.ts';

// The library and the schedule under test see the same clock, and nobody waits.
beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-20T12:00:30.000Z') });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const minute = 60_000;
const everyMinute: ScheduledRun = { cron: '* * * * *', verb: 'fix', checks: ['iptables-ghosts'] };
const alsoEveryMinute: ScheduledRun = { cron: '* * * * *', verb: 'check' };

test('each run is done at its times, and its end is logged', async () => {
  const schedule = await start([everyMinute, { cron: '30 */2 * * * *', verb: 'check' }], { takesMs: 100 });

  await vi.advanceTimersByTimeAsync(4 * minute);

  expect(schedule.begun).toEqual([
    ['fix', '12:01:00'],
    ['fix', '12:02:00'],
    ['check', '12:02:30'],
    ['fix', '12:03:00'],
    ['fix', '12:04:00'],
    ['check', '12:04:30'],
  ]);
  expect(schedule.logged).toContainEqual({
    level: 'info',
    verb: 'fix',
    checks: ['iptables-ghosts'],
    exitCode: 0,
    msg: 'fix ends: as told',
  });
  expect(schedule.logged[0]).toMatchObject({
    cron: '* * * * *',
    next: '2026-11-20T12:01:00.000Z',
    msg: 'fix is scheduled',
  });
});

test('of runs that fall due together the second begins when the first has ended', async () => {
  const schedule = await start([everyMinute, alsoEveryMinute], { takesMs: 10_000 });

  await vi.advanceTimersByTimeAsync(minute);

  expect(schedule.begun).toEqual([
    ['fix', '12:01:00'],
    ['check', '12:01:10'],
  ]);
  expect(schedule.mostAtOnce()).toBe(1);
});

test('a run that falls due while it is still at work is left out, and it is said', async () => {
  const schedule = await start([everyMinute], { takesMs: 2.5 * minute });

  await vi.advanceTimersByTimeAsync(4 * minute);

  expect(schedule.begun.map(([, at]) => at)).toEqual(['12:01:00', '12:04:00']);
  expect(schedule.mostAtOnce()).toBe(1);
  expect(schedule.logged.filter(({ msg }) => msg === 'fix is left out: the one before is not over')).toEqual([
    expect.objectContaining({ level: 'warn', verb: 'fix' }),
    expect.objectContaining({ level: 'warn', verb: 'fix' }),
  ]);
});

test('after a long run there is no burst of those that fell due meanwhile', async () => {
  const schedule = await start([everyMinute, alsoEveryMinute], { takesMs: 10.5 * minute, thenMs: 0 });

  await vi.advanceTimersByTimeAsync(11.25 * minute);

  expect(schedule.begun).toEqual([
    ['fix', '12:01:00'],
    ['check', '12:11:30'],
  ]);
});

test('a run begins late by a random part of the jitter', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  const schedule = await start([everyMinute], { jitterSeconds: 40 });

  await vi.advanceTimersByTimeAsync(minute);

  expect(schedule.begun).toEqual([['fix', '12:01:20']]);
});

test('a run that cannot be done, or has a bug, is logged and the next one has its turn', async () => {
  const errors = [
    new DoctorError('locked', 'another run is at work', { hint: 'wait' }),
    new DoctorError('fix-failed', 'no room'),
    new TypeError('a bug'),
  ];
  const schedule = await start([everyMinute], {
    runScheduled: async () => {
      const error = errors.shift();
      if (error) throw error;
      return { exitCode: 1, summary: 'problems remain' };
    },
  });

  await vi.advanceTimersByTimeAsync(4 * minute);

  expect(schedule.logged.slice(1)).toEqual([
    expect.objectContaining({ level: 'info', exitCode: 4, msg: 'fix: another run is at work; wait' }),
    expect.objectContaining({ level: 'error', exitCode: 3, msg: 'fix: no room' }),
    expect.objectContaining({
      level: 'error',
      msg: 'internal error, please report it',
      err: expect.objectContaining({ stack: expect.stringContaining('TypeError: a bug') }),
    }),
    expect.objectContaining({ level: 'warn', exitCode: 1, msg: 'fix ends: problems remain' }),
  ]);
});

test('a run that falls due while the process is busy is done late, not lost', async () => {
  const schedule = await start([{ ...everyMinute, cron: '*/5 * * * *' }]);

  // Five seconds pass in which no timer is called.
  vi.setSystemTime(Date.now() + 5000);
  await vi.advanceTimersByTimeAsync(5 * minute);

  expect(schedule.begun).toEqual([['fix', '12:05:05']]);
});

test.each([
  ['back', '2026-11-20T07:00:30.000Z', ['07:01:00', '07:02:00']],
  ['forward', '2027-01-31T23:58:30.000Z', ['23:59:00', '00:00:00']],
])('when the clock is set %s the schedule goes by the new time', async (_, to, times) => {
  const schedule = await start([everyMinute]);
  await vi.advanceTimersByTimeAsync(minute);
  expect(schedule.begun).toHaveLength(1);

  vi.setSystemTime(new Date(to));
  await vi.advanceTimersByTimeAsync(2 * minute);

  expect(schedule.begun.slice(1).map(([, at]) => at)).toEqual(times);
  expect(schedule.logged.filter(({ level }) => level === 'warn')).toEqual([
    { level: 'warn', msg: 'the clock was set: the schedule begins anew' },
  ]);
});

test('at the signal the run at work is waited for, and no other begins', async () => {
  const schedule = await start([everyMinute, alsoEveryMinute], { takesMs: 10_000 });
  await vi.advanceTimersByTimeAsync(31_000);
  expect(schedule.begun).toEqual([['fix', '12:01:00']]);

  schedule.stop();
  await vi.advanceTimersByTimeAsync(5000);
  expect(schedule.hasEnded()).toBe(false);
  await vi.advanceTimersByTimeAsync(5000);

  expect(schedule.hasEnded()).toBe(true);
  expect(schedule.signals.every(({ aborted }) => aborted)).toBe(true);
  await vi.advanceTimersByTimeAsync(5 * minute);
  expect(schedule.begun).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});

test('at the signal a run that has not begun is not waited for', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.9);
  const schedule = await start([everyMinute], { jitterSeconds: 50 });
  await vi.advanceTimersByTimeAsync(31_000);

  schedule.stop();
  await vi.advanceTimersByTimeAsync(0);

  expect(schedule.hasEnded()).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('a signal that came before ends it before it begins', async () => {
  const schedule = await start([everyMinute], { isStopped: true });
  await vi.advanceTimersByTimeAsync(2 * minute);
  expect(schedule.hasEnded()).toBe(true);
  expect(schedule.begun).toEqual([]);
});

test('the library writes nothing of its own', async () => {
  const consoles = (['info', 'warn', 'error', 'debug', 'log'] as const).map((name) =>
    vi.spyOn(console, name),
  );
  await start([everyMinute], { takesMs: 3 * minute });
  vi.setSystemTime(new Date('2026-11-21T12:00:00.000Z'));
  await vi.advanceTimersByTimeAsync(5 * minute);
  for (const written of consoles) expect(written).not.toHaveBeenCalled();
});

interface StartOptions {
  /** The first run, and the others if nothing else is said of them. */
  readonly takesMs?: number;
  readonly thenMs?: number;
  readonly jitterSeconds?: number;
  readonly runScheduled?: () => Promise<{ exitCode: number; summary: string }>;
  readonly isStopped?: boolean;
}

async function start(runs: readonly ScheduledRun[], options: StartOptions = {}) {
  const { takesMs = 0, thenMs = takesMs, jitterSeconds = 0, runScheduled, isStopped } = options;
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  if (isStopped) controller.abort();
  const logged: LogLine[] = [];
  const log = pino(
    { base: null, timestamp: false, formatters: { level: (level) => ({ level }) } },
    { write: (line) => logged.push(logLine.parse(JSON.parse(line))) },
  );
  const begun: [string, string][] = [];
  const signals: AbortSignal[] = [];
  let [atWork, mostAtOnce, ended] = [0, 0, false];
  const work = async ({ verb }: ScheduledRun, signal: AbortSignal) => {
    begun.push([verb, new Date().toISOString().slice(11, 19)]);
    signals.push(signal);
    atWork += 1;
    mostAtOnce = Math.max(mostAtOnce, atWork);
    await new Promise((done) => setTimeout(done, begun.length === 1 ? takesMs : thenMs));
    atWork -= 1;
    return { exitCode: 0, summary: 'as told' };
  };
  const end = scheduleRuns({
    runs,
    jitterSeconds,
    log,
    signal: controller.signal,
    runScheduled: runScheduled ?? work,
  }).then(() => {
    ended = true;
  });
  // The library is loaded first.
  await vi.waitFor(() => expect(logged.length >= runs.length || ended).toBe(true));
  return {
    begun,
    logged,
    signals,
    end,
    stop: () => controller.abort(),
    hasEnded: () => ended,
    mostAtOnce: () => mostAtOnce,
  };
}

const logLine = z.looseObject({ level: z.string(), msg: z.string() });
type LogLine = z.infer<typeof logLine>;
