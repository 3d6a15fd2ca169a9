import type { ProbeResult } from '../journal.ts';
import type { Site } from '../site.ts';
import { compareProbes } from './compare-probes.ts';
import { probeAfresh } from './probe-afresh.ts';

/**
 * Whether everything that answered before a change still does, asked from a process of its own. Any
 * one packet may get lost, so what is missing is looked for three times.
 *
 * @returns undefined, or in one line what does not.
 */
export async function stillAnswers(
  before: readonly ProbeResult[],
  { host, config, selfArgs }: Site,
): Promise<string | undefined> {
  if (!before.some(({ passed }) => passed)) return undefined;
  let problem: string | undefined;
  for (let attempt = 1; attempt <= 3; attempt++) {
    const now = await probeAfresh(host, config, selfArgs);
    if ('failed' in now) return now.failed;
    const missing = compareProbes(before, now);
    if (missing.length === 0) return undefined;
    problem = missing.join('; ');
  }
  return problem;
}
