import { runProbes } from '../probes/run-probes.ts';
import { openHost } from './open-host.ts';
import type { RunOptions } from './options.ts';
import { print } from './print.ts';

/**
 * Prints as JSON what answers on this node. Run by `fix` after a change of the firewall, as a process
 * of its own; whether it is good enough is for the caller to say, so the exit code is 0.
 */
export async function probeCommand(options: RunOptions): Promise<number> {
  const { host, config } = await openHost(options);
  await print(`${JSON.stringify(await runProbes(host, config))}\n`);
  return 0;
}
