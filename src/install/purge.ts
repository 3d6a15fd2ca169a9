import type { Config } from '../config/config.ts';
import { isRunId } from '../engine/run-id.ts';
import type { Host } from '../host/host.ts';
import { foldersAbove } from './folders.ts';
import { readInstalled } from './installed.ts';

/** What is in the folders of this product's own. */
export interface Belongings {
  readonly files: readonly string[];
  /** The innermost first. */
  readonly folders: readonly string[];
  /** What it never puts there; a path each. */
  readonly foreign: readonly string[];
}

/** Lists journal, backups, history, state and lock: everything that a run leaves, by its name. */
export async function findBelongings(host: Host, { paths }: Config): Promise<Belongings> {
  const { state, run } = paths;
  const journal = await sort(`${state}/journal`, host, (name) => isRunFile(name) || name === 'open');
  const backups = await sort(`${state}/backups`, host, isRunId);
  const copies = await Promise.all(
    backups.known.map((folder) => sort(folder, host, (name) => /^\d+-[\w.-]+$/.test(name))),
  );
  const rest = await sort(state, host, (name) => stateFiles.test(name));
  const locks = await sort(run, host, (name) => name === 'lock' || name === 'report.json');
  // These two speak for themselves.
  const besides = rest.foreign.filter((path) => ![`${state}/journal`, `${state}/backups`].includes(path));
  return {
    files: [journal, ...copies, rest, locks].flatMap(({ known }) => known),
    folders: [...copies, journal, backups, rest, locks].flatMap(({ folder }) => folder),
    foreign: [...[journal, backups, ...copies, locks].flatMap(({ foreign }) => foreign), ...besides],
  };
}

/**
 * Removes what is this product's own, and its folders if nothing else is in them. To be called with the
 * lock held and no run open: it cannot be journalled, as the journal goes, too. Returns what could not be
 * removed and why, a line each.
 */
export async function purge(host: Host, config: Config): Promise<readonly string[]> {
  const { files, folders, foreign } = await findBelongings(host, config);
  const { folders: made } = await readInstalled(host, config);
  const { state, run } = config.paths;
  const around = [state, run].flatMap((path) => foldersAbove(path).filter((folder) => made.includes(folder)));
  const left = foreign.map((path) => `${path}: it is not doctor's`);
  for (const path of files) {
    const removed = await host.removeFile(path);
    if (removed.kind === 'failed') left.push(`${path}: ${removed.reason}`);
  }
  for (const folder of [...folders, ...around]) {
    const removed = await host.removeEmptyFolder(folder);
    if (removed.kind === 'failed') left.push(`${folder}: ${removed.reason}`);
  }
  return left;
}

const stateFiles = /^(history\.jsonl(\.\d)?|state\.json(\.unreadable-\d{8}T\d{9}Z)?|installed\.json)$/;

interface Sorted {
  /** Itself; empty when it is not there, or is no folder. */
  readonly folder: readonly string[];
  readonly known: readonly string[];
  readonly foreign: readonly string[];
}

async function sort(folder: string, host: Host, isKnown: (name: string) => boolean): Promise<Sorted> {
  const status = await host.fileStatus(folder);
  // A link may lead to anything.
  const isFolder = status.kind === 'other' && status.what === 'a folder';
  const entries = isFolder ? await host.listDirectory(folder) : undefined;
  if (!entries) return { folder: [], known: [], foreign: status.kind === 'absent' ? [] : [folder] };
  const names = entries.map(({ name }) => name);
  const isOurs = (name: string) => isKnown(withoutTemporary(name));
  return {
    folder: [folder],
    known: names.filter(isOurs).map((name) => `${folder}/${name}`),
    foreign: names.filter((name) => !isOurs(name)).map((name) => `${folder}/${name}`),
  };
}

function isRunFile(name: string): boolean {
  return name.endsWith('.jsonl') && isRunId(name.slice(0, -'.jsonl'.length));
}

/** The name of the file that one was to become that was being written when its writer was killed. */
function withoutTemporary(name: string): string {
  return /^\.(.+)\.([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|k3s-doctor)$/.exec(name)?.[1] ?? name;
}
