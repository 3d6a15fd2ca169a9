import { rm, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeWriteError } from './describe-write-error.ts';
import { unexpectedAt } from './expected-file.ts';
import { fileStatus } from './file-status.ts';
import type { ExpectedFile, WriteResult } from './host.ts';
import { temporaryOf } from './install-file.ts';
import { syncFolder } from './sync-folder.ts';
import { systemErrorCode } from './system-error.ts';

/** Removes a regular file, for good when this returns. One that is not there is removed already. */
export async function removeFile(path: string, expected?: ExpectedFile): Promise<WriteResult> {
  return durably(path, async () => {
    const isThere = (await fileStatus(path)).kind !== 'absent';
    const refused = isThere ? await unexpectedAt(path, expected) : undefined;
    if (refused !== undefined) return refused;
    if (isThere) await unlink(path);
    await rm(temporaryOf(path), { force: true });
    return undefined;
  });
}

/** Removes a folder that holds nothing, for good when this returns. One that is not there is removed already. */
export async function removeEmptyFolder(path: string): Promise<WriteResult> {
  return durably(path, async () => {
    await rmdir(path);
    return undefined;
  });
}

/** `remove` may say why it did not. */
async function durably(path: string, remove: () => Promise<string | undefined>): Promise<WriteResult> {
  try {
    const reason = await remove();
    if (reason !== undefined) return { kind: 'failed', reason };
  } catch (error) {
    const isThere = (await fileStatus(path)).kind !== 'absent';
    if (isThere) return { kind: 'failed', reason: describeWriteError(error) };
  }
  return syncNearest(path);
}

/** The folder may be gone, too. */
async function syncNearest(path: string): Promise<WriteResult> {
  try {
    await syncFolder(dirname(path));
    return { kind: 'written' };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'written' };
    return { kind: 'failed', reason: describeWriteError(error) };
  }
}
