/** SIGKILL at every sync, rename and removal of a fix, of settling, of an undo and of the way back. */
import { expect, it } from 'vitest';
import {
  atEachPoint,
  fixIsKilledAndRepeated,
  settlingIsKilled,
  takingBackIsKilled,
  undoIsKilled,
} from './kill-scenarios.ts';

const scenarios = { fixIsKilledAndRepeated, settlingIsKilled, undoIsKilled, takingBackIsKilled };

it.each(Object.entries(scenarios))('%s, at every point', async (_name, scenario) => {
  expect(await atEachPoint(scenario, { call: 'fsync' })).toBeGreaterThan(8);
  expect(await atEachPoint(scenario, { call: 'rename' })).toBeGreaterThanOrEqual(0);
  expect(await atEachPoint(scenario, { call: 'unlink' })).toBeGreaterThan(0);
});
