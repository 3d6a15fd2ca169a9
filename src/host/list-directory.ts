import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DirectoryEntry } from './host.ts';
import { systemErrorCode } from './system-error.ts';

/**
 * Names in a directory, sorted, with their last modification and size; undefined when it cannot be listed.
 * Synchronous on purpose: a few µs per entry instead of some 100.
 */
export function listDirectory(path: string): readonly DirectoryEntry[] | undefined {
  try {
    return readdirSync(path)
      .sort()
      .flatMap((name) => {
        const stats = lstatSync(join(path, name), { throwIfNoEntry: false });
        // Gone since it was listed.
        return stats === undefined ? [] : [{ name, modifiedAt: stats.mtime, bytes: stats.size }];
      });
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
