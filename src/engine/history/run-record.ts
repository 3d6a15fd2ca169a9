import type { Config } from '../../config/config.ts';
import type { Host } from '../../host/host.ts';
import { backupFile } from '../journal.ts';
import { processStart } from '../process-identity.ts';
import { type JournalledRun, readJournal, readOpenRun } from '../read-journal.ts';
import { isRunId } from '../run-id.ts';

/** A run as far as its journal and backups are still kept. */
export interface RunRecord {
  readonly journal: JournalledRun | undefined;
  /** Paths of what was kept of the node as it was before. */
  readonly backups: readonly string[];
}

export interface OpenRun {
  /** Empty when its name cannot be read. */
  readonly run: string;
  readonly journal: JournalledRun | undefined;
  /** Its process is there; else it was killed. */
  readonly isAtWork: boolean;
}

/** Reads what is kept of a run; everything empty for a name that is none. */
export async function readRunRecord(host: Host, config: Config, run: string): Promise<RunRecord> {
  if (!isRunId(run)) return { journal: undefined, backups: [] };
  const journal = await readJournal(host, config, run);
  const files = (await host.listDirectory(`${config.paths.state}/backups/${run}`)) ?? [];
  return { journal, backups: files.map(({ name }) => backupFile(config, run, name)) };
}

/** The run that has not come to an end; undefined when there is none. */
export async function findOpenRun(host: Host, config: Config): Promise<OpenRun | undefined> {
  const run = await readOpenRun(host, config);
  if (run === undefined) return undefined;
  const journal = run === '' ? undefined : await readJournal(host, config, run);
  const { pid, processStart: started } = journal?.begin ?? {};
  const isAtWork = pid !== undefined && started !== '' && (await processStart(host, pid)) === started;
  return { run, journal, isAtWork };
}
