import type { Config } from '../../config/config.ts';
import type { Host } from '../../host/host.ts';
import { isRunId } from '../run-id.ts';

/** The id of the newest run that has a journal: a new one has to sort after it. */
export async function latestRunId(host: Host, { paths }: Config): Promise<string | undefined> {
  const entries = (await host.listDirectory(`${paths.state}/journal`)) ?? [];
  return entries
    .map(({ name }) => name.replace(/\.jsonl$/, ''))
    .filter(isRunId)
    .sort()
    .at(-1);
}
