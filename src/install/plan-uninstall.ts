import type { Site } from '../engine/site.ts';
import type { FileWriteStep } from '../engine/step.ts';
import type { Host } from '../host/host.ts';
import { folderOf, foldersAbove, nameOf } from './folders.ts';
import { type Installed, readInstalled, recordSteps, wasInstalled } from './installed.ts';
import { lookAtFile } from './look-at-file.ts';
import type { InstallationPlan } from './plan-install.ts';
import { disableSteps, hasSystemd, noSystemd, reload } from './unit-steps.ts';
import { exampleFile, isTimer, isUnit, type ShippedFile, systemUnitFolder } from './units.ts';

export interface UninstallRequest {
  /** What an install would write: if its record is lost, a file that is the same is known by that. */
  readonly files: readonly ShippedFile[];
  /** The record goes with everything else, after the run. */
  readonly purge: boolean;
}

/** What takes away the files of the product that are as an install wrote them, and stops its units. */
export async function planUninstall(
  { files, purge }: UninstallRequest,
  site: Site,
): Promise<InstallationPlan> {
  const { host, config } = site;
  const installed = await readInstalled(host, config);
  const shipped = new Map(files.map(({ path, content }) => [path, content]));
  const paths = [...new Set([...shipped.keys(), ...Object.keys(installed.files)])];
  const found = await Promise.all(paths.map((path) => classify(path, shipped.get(path), installed, host)));
  const ours = found.flatMap((file) => (file.kind === 'ours' ? [file] : []));
  const refused = found.flatMap((file) => (file.kind === 'changed' ? [file.reason] : []));
  const units = paths.filter((path, i) => isUnit(path) && found[i]?.kind !== 'none');

  const removals = withFolders(ours, new Set([...installed.folders, folderOf(exampleFile)]));
  const record = purge ? [] : recordSteps(config, installed, null);
  const notices = (await dropIns(units, host)).map((folder) => `${folder} is left: what is in it is yours`);
  if (!(await hasSystemd(host))) {
    return { steps: [...removals, ...record], obstacles: [], refused, notices: [noSystemd, ...notices] };
  }
  // Timers first: none shall start what is stopped next.
  const names = units.map(nameOf).sort((a, b) => Number(isTimer(b)) - Number(isTimer(a)));
  const disables = await Promise.all(names.map((unit) => disableSteps(unit, site)));
  const reloads = removals.some(({ path }) => isUnit(path)) ? [reload] : [];
  const steps = [
    ...disables.flatMap(({ before }) => before),
    ...reloads,
    ...removals,
    ...reloads,
    ...record,
    ...disables.flatMap(({ after }) => after),
  ];
  return { steps, obstacles: [], refused, notices };
}

type Found =
  | { readonly kind: 'ours'; readonly path: string; readonly content: string }
  | { readonly kind: 'changed'; readonly reason: string }
  /** It was installed, and somebody has removed it. */
  | { readonly kind: 'gone' }
  /** No install has put it there. */
  | { readonly kind: 'none' };

async function classify(
  path: string,
  shipped: string | undefined,
  installed: Installed,
  host: Host,
): Promise<Found> {
  const look = await lookAtFile(path, host);
  const isKnown = path in installed.files;
  if (look.kind === 'absent') return { kind: isKnown ? 'gone' : 'none' };
  if (look.kind === 'file' && (look.content === shipped || wasInstalled(installed, path, look.content))) {
    return { kind: 'ours', path, content: look.content };
  }
  if (!isKnown) return { kind: 'none' };
  const why = look.kind === 'other' ? look.reason : 'it was changed since it was installed';
  return { kind: 'changed', reason: `${path}: ${why}` };
}

/** The last file of a folder takes the folder along. */
function withFolders(
  files: readonly { readonly path: string; readonly content: string }[],
  removable: ReadonlySet<string>,
): FileWriteStep[] {
  return files.map(({ path, content: basedOn }, i) => {
    const isLast = files.findLastIndex((file) => folderOf(file.path) === folderOf(path)) === i;
    const removesFolders = isLast ? foldersAbove(path).filter((folder) => removable.has(folder)) : [];
    return {
      kind: 'file-write',
      path,
      content: null,
      basedOn,
      mode: 0o644,
      ...(removesFolders.length > 0 && { removesFolders }),
    };
  });
}

async function dropIns(units: readonly string[], host: Host): Promise<readonly string[]> {
  const folders = [...new Set(units.flatMap((path) => [path, `${systemUnitFolder}/${nameOf(path)}`]))].map(
    (path) => `${path}.d`,
  );
  const listed = await Promise.all(folders.map((folder) => host.listDirectory(folder)));
  return folders.filter((_, i) => listed[i] !== undefined);
}
