import { mkdir, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Writes the files of a ConfigMap into a pod's folder as kubelet does: all of them into a folder of their own,
 * and one link that is swapped, so that a reader sees the old ones or the new ones.
 */
export async function writeVolume(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  const old = await readlink(join(folder, '..data')).catch(() => undefined);
  count += 1;
  const next = `..2026_11_21_${count}`;
  await mkdir(join(folder, next));
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, next, name), text)));
  await symlink(next, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));

  const shown = await readdir(folder, { withFileTypes: true });
  const links = shown.filter((entry) => entry.isSymbolicLink()).map(({ name }) => name);
  for (const name of Object.keys(files)) {
    if (!links.includes(name)) await symlink(join('..data', name), join(folder, name));
  }
  for (const name of links) if (name !== '..data' && !(name in files)) await rm(join(folder, name));
  if (old !== undefined) await rm(join(folder, old), { recursive: true });
}

let count = 0;
