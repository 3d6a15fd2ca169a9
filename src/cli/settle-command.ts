import { takeLock } from '../engine/lock.ts';
import { readOpenRun } from '../engine/read-journal.ts';
import { newRunId } from '../engine/run-id.ts';
import { settle } from '../engine/settle.ts';
import { openSite } from './open-site.ts';
import type { RunOptions } from './options.ts';
import { print } from './print.ts';

/**
 * Brings a run to an end that was killed at its work, and does nothing else. For units, after whatever
 * became of their main process. Returns the exit code.
 */
export async function settleCommand(options: RunOptions): Promise<number> {
  const site = await openSite(options);
  const { host, config } = site;
  if ((await readOpenRun(host, config)) === undefined) return 0;
  const runId = newRunId({ now: host.now(), pid: process.pid });
  const lock = await takeLock({ host, config, verb: 'settle', runId });
  try {
    const settled = await settle(site);
    if (!settled) return 0;
    await print(
      `run ${settled.run} was killed at its work: ${[settled.outcome, ...settled.notes].join('; ')}\n`,
    );
    return settled.outcome === 'incomplete' ? 3 : 0;
  } finally {
    await lock.release();
  }
}
