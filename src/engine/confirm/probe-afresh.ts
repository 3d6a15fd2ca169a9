import type { Config } from '../../config/config.ts';
import type { Host } from '../../host/host.ts';
import type { ProbeResult } from '../journal.ts';
import { describeFailure } from '../steps/describe-failure.ts';

/**
 * Probes from a process of its own: nothing that this one keeps, neither connections nor answers, can
 * make them pass. That such a process cannot be had or not be understood is a failure, too: the
 * change is not confirmed then. `selfArgs`: options that say which configuration and cluster.
 */
export async function probeAfresh(
  host: Host,
  config: Config,
  selfArgs: readonly string[],
): Promise<readonly ProbeResult[] | { readonly failed: string }> {
  const timeoutMs = 5_000 + config.commandTimeoutMs;
  const result = await host.run({ tool: 'k3s-doctor', args: ['probe', ...selfArgs], timeoutMs });
  if (result.kind !== 'exited' || result.exitCode !== 0) {
    return { failed: `the probes were not made: ${describeFailure(result)}` };
  }
  return (await parseProbes(result.stdout)) ?? { failed: 'what the probes said cannot be read' };
}

/** What `doctor probe` prints; undefined when it is something else. */
async function parseProbes(text: string): Promise<readonly ProbeResult[] | undefined> {
  const { z } = await import('zod');
  const shape = z.array(
    z.object({
      probe: z.enum(['api', 'ssh', 'dns', 'peer']),
      passed: z.boolean(),
      detail: z.string(),
      mayLose: z.array(z.string()).exactOptional(),
    }),
  );
  try {
    return shape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
