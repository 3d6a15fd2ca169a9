/** Folders that cannot be synced, from some point of a fix on. */
import { expect, it } from 'vitest';
import { expectDocumented } from './fault-table.ts';
import { listIoFaults } from './io-faults.ts';
import { tryAll } from './try-all.ts';
import { tryFault } from './try-fault.ts';

it('whichever folder cannot be synced, the node is as before or repaired', async () => {
  const faults = (await listIoFaults()).filter(({ isFolder }) => isFolder);
  expect(faults.length).toBeGreaterThan(10);
  expectDocumented('folders', await tryAll(faults, tryFault));
});
