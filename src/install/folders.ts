import type { Host } from '../host/host.ts';

export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The folders around a path, the innermost first, without the root. */
export function foldersAbove(path: string): readonly string[] {
  const folder = folderOf(path);
  return folder === '/' ? [] : [folder, ...foldersAbove(folder)];
}

/** Which of these folders, and of those around them, are not there. */
export async function missingFolders(folders: readonly string[], host: Host): Promise<readonly string[]> {
  const all = [...new Set(folders.flatMap((folder) => [folder, ...foldersAbove(folder)]))];
  const statuses = await Promise.all(all.map((folder) => host.fileStatus(folder)));
  return all.filter((_, i) => statuses[i]?.kind === 'absent');
}
