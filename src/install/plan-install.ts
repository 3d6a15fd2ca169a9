import type { Site } from '../engine/site.ts';
import type { FileWriteStep, Step } from '../engine/step.ts';
import { foldersAbove, nameOf } from './folders.ts';
import { addInstalled, type Installed, readInstalled, recordSteps, wasInstalled } from './installed.ts';
import { type FileLook, lookAtFile } from './look-at-file.ts';
import { enableSteps, hasSystemd, noSystemd, reload } from './unit-steps.ts';
import { type EnableName, enableable, isUnit, type ShippedFile } from './units.ts';

export interface InstallRequest {
  readonly files: readonly ShippedFile[];
  readonly enable: readonly EnableName[];
  /** Folders that were not there before anything was begun. */
  readonly missing: readonly string[];
}

/** A plan that changes what is installed. */
export interface InstallationPlan {
  readonly steps: readonly Step[];
  /** Why nothing at all is to be done, a line each. */
  readonly obstacles: readonly string[];
  /** What is left as it is though it was to go, and why; a line each. */
  readonly refused: readonly string[];
  readonly notices: readonly string[];
}

/**
 * What is missing, as steps: the record of what is installed first, so that it names whatever a run
 * that was killed has written. A file that no install wrote, or that was changed since, stops it all.
 */
export async function planInstall(
  { files, enable, missing }: InstallRequest,
  site: Site,
): Promise<InstallationPlan> {
  const { host, config } = site;
  const installed = await readInstalled(host, config);
  const looks = await Promise.all(
    files.map(async (file) => ({ file, look: await lookAtFile(file.path, host) })),
  );
  const obstacles = looks.flatMap(({ file, look }) => obstacle(file, look, installed));
  if (obstacles.length > 0) return { steps: [], obstacles, refused: [], notices: [] };

  const writes = looks.flatMap(({ file, look }) => write(file, look));
  const needed = new Set(
    [config.paths.state, config.paths.run, ...writes.map(({ path }) => path)].flatMap((path) => [
      path,
      ...foldersAbove(path),
    ]),
  );
  const folders = writes.length === 0 ? [] : missing.filter((folder) => needed.has(folder));
  const record = recordSteps(config, installed, addInstalled(installed, files, folders));
  if (!(await hasSystemd(host)))
    return { steps: [...record, ...writes], obstacles, refused: [], notices: [noSystemd] };
  const reloads = writes.some(({ path }) => isUnit(path)) ? [reload] : [];
  const enables = await Promise.all(enable.map((name) => enableSteps(enableable[name], site)));
  const steps = [...record, ...reloads, ...writes, ...reloads, ...enables.flat()];
  return { steps, obstacles, refused: [], notices: [] };
}

function obstacle({ path, content }: ShippedFile, look: FileLook, installed: Installed): string[] {
  if (look.kind === 'absent') return [];
  if (look.kind === 'other') return [`${path} is in the way: ${look.reason}; ${moveAway}`];
  if (look.content === content || wasInstalled(installed, path, look.content)) return [];
  const advice = isUnit(path)
    ? `; your own settings belong into a drop-in (systemctl edit ${nameOf(path)})`
    : '';
  const whose =
    path in installed.files ? 'was changed since it was installed' : 'was not installed by doctor';
  return [`${path} ${whose} and is not overwritten; ${moveAway}${advice}`];
}

const moveAway = 'move it away and install again';

function write({ path, content }: ShippedFile, look: FileLook): FileWriteStep[] {
  const basedOn = look.kind === 'file' ? look.content : null;
  return basedOn === content ? [] : [{ kind: 'file-write', path, content, basedOn, mode: 0o644 }];
}
