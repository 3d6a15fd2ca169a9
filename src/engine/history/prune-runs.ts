import type { Config } from '../../config/config.ts';
import type { DirectoryEntry, Host } from '../../host/host.ts';
import { openRunFile } from '../journal.ts';
import { isRunId } from '../run-id.ts';

interface StoredRun {
  readonly id: string;
  readonly hasJournal: boolean;
  readonly backups: readonly DirectoryEntry[] | undefined;
  readonly bytes: number;
}

/**
 * Removes journals and backups beyond what the configuration keeps, oldest first; the newest run and
 * the open one always stay. To be called with the lock held. What cannot be removed is tried again by
 * the next run. Returns the ids of the runs that went.
 */
export async function pruneRuns(host: Host, config: Config): Promise<readonly string[]> {
  const { runs: maxRuns, megabytes } = config.history;
  const open = await host.readFile(openRunFile(config));
  // A name that cannot be read may be that of any of them.
  if (open.kind === 'unreadable' || (open.kind === 'read' && !isRunId(open.text.trim()))) return [];
  const openRun = open.kind === 'read' ? open.text.trim() : undefined;
  const gone: string[] = [];
  let room = megabytes * 1024 * 1024;
  for (const [index, run] of (await listRuns(host, config)).entries()) {
    room -= run.bytes;
    const isToStay = index === 0 || run.id === openRun || (index < maxRuns && room >= 0);
    if (isToStay) continue;
    await removeRun(host, config, run);
    gone.push(run.id);
  }
  return gone;
}

/** Newest first. Backups whose journal is gone are still there to be removed. */
async function listRuns(host: Host, { paths }: Config): Promise<StoredRun[]> {
  const journals = (await host.listDirectory(`${paths.state}/journal`)) ?? [];
  const folders = (await host.listDirectory(`${paths.state}/backups`)) ?? [];
  const journalBytes = new Map(
    journals.flatMap(({ name, bytes }) =>
      name.endsWith('.jsonl') ? [[name.replace(/\.jsonl$/, ''), bytes ?? 0] as const] : [],
    ),
  );
  const ids = new Set([...journalBytes.keys(), ...folders.map(({ name }) => name)].filter(isRunId));
  const runs = [...ids].map(async (id): Promise<StoredRun> => {
    const backups = await host.listDirectory(`${paths.state}/backups/${id}`);
    const bytes = (backups ?? []).reduce((sum, file) => sum + (file.bytes ?? 0), journalBytes.get(id) ?? 0);
    return { id, hasJournal: journalBytes.has(id), backups, bytes };
  });
  return (await Promise.all(runs)).sort((a, b) => (a.id < b.id ? 1 : -1));
}

/** The journal first: without it the run is not offered to `undo`, which would miss its backups. */
async function removeRun(
  host: Host,
  { paths }: Config,
  { id, hasJournal, backups }: StoredRun,
): Promise<void> {
  if (hasJournal) {
    const removed = await host.removeFile(`${paths.state}/journal/${id}.jsonl`);
    if (removed.kind === 'failed') return;
  }
  if (!backups) return;
  const folder = `${paths.state}/backups/${id}`;
  for (const { name } of backups) await host.removeFile(`${folder}/${name}`);
  await host.removeEmptyFolder(folder);
}
