/**
 * SIGKILL at the points at which something is brought to disk. Here at every file that is synced (its
 * folder is synced right behind it), and some of the way back; kill-points.long.test.ts knows them all.
 */
import { expect, it } from 'vitest';
import {
  atEachPoint,
  fixIsKilled,
  fixIsKilledAndRepeated,
  settlingIsKilled,
  takingBackIsKilled,
  undoIsKilled,
} from './kill-scenarios.ts';

it('a fix killed at any sync is settled: done or taken back as a whole', async () => {
  expect(await atEachPoint(fixIsKilled, { call: 'fsync', stride: 2 })).toBeGreaterThan(15);
});

it('after that the next fix repairs, and the one after it finds nothing', async () => {
  expect(await atEachPoint(fixIsKilledAndRepeated, { call: 'fsync', first: 4, stride: 12 })).toBeGreaterThan(
    1,
  );
});

it('settling that is killed is settled', async () => {
  expect(await atEachPoint(settlingIsKilled, { call: 'fsync', stride: 4 })).toBeGreaterThan(1);
});

it('an undo that is killed is settled', async () => {
  expect(await atEachPoint(undoIsKilled, { call: 'fsync', first: 3, stride: 9 })).toBeGreaterThan(2);
});

it('a fix that is killed while it takes itself back is settled', async () => {
  expect(await atEachPoint(takingBackIsKilled, { call: 'fsync', first: 15, stride: 4 })).toBeGreaterThan(1);
});
