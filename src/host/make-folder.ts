import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemErrorCode } from './system-error.ts';

/**
 * Makes a folder and those above it that are missing, one by one from the top. Node's `recursive`
 * says ENOENT where the file system is read-only, and never ends where no folder can be made (/proc).
 */
export async function makeFolder(path: string, mode: number): Promise<void> {
  if (!existsSync(dirname(path))) await makeFolder(dirname(path), mode);
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
}
