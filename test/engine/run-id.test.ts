import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRunId, newRunId } from '../../src/engine/run-id.ts';

test('a run is named after the time it began and its process', () => {
  const now = new Date('2026-11-21T13:04:05.123Z');
  expect(newRunId({ now, pid: 1234 })).toBe('20261121T130405123Z-1234');
  expect(newRunId({ now, pid: 1234, latest: '20261121T130405122Z-9' })).toBe('20261121T130405123Z-1234');
});

test('one that begins when the clock was set back still sorts after all others', () => {
  const now = new Date('2026-11-21T13:04:05.123Z');
  expect(newRunId({ now, pid: 1, latest: '20261231T235959999Z-99' })).toBe('20270101T000000000Z-1');
  expect(newRunId({ now, pid: 1, latest: '20261121T130405123Z-99' })).toBe('20261121T130405124Z-1');
});

const time = fc.date({ min: new Date('1970-01-01'), max: new Date('2200-01-01'), noInvalidDate: true });

test('whatever the clock does, ids are ids and each sorts after the one before', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(time, fc.integer({ min: 1, max: 4_194_304 })), { minLength: 2 }),
      (runs) => {
        let latest = '';
        for (const [now, pid] of runs) {
          const id = newRunId({ now, pid, latest });
          expect(isRunId(id)).toBe(true);
          expect(id > latest).toBe(true);
          latest = id;
        }
      },
    ),
  );
});

test('a name that is no id is nothing to sort after', () => {
  const now = new Date('2026-11-21T13:04:05.123Z');
  for (const latest of ['', 'zzz', '99999999T999999999Z-1', '20261121T130405123Z'])
    expect(newRunId({ now, pid: 1, latest })).toMatch(/-1$/);
  expect(isRunId('../../etc/passwd')).toBe(false);
  expect(isRunId('20261121T130405123Z-1/..')).toBe(false);
});
