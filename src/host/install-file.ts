import { existsSync } from 'node:fs';
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describeWriteError } from './describe-write-error.ts';
import { unexpectedAt } from './expected-file.ts';
import type { ExpectedFile, FileContent, WriteResult } from './host.ts';
import { syncFolder } from './sync-folder.ts';
import { systemErrorCode } from './system-error.ts';

/**
 * Puts a file in place: written beside it under a name of its own, with owner and mode, synced, and
 * renamed over it. A reader sees the old or the new one, and so does one after a crash. Only a regular
 * file is replaced, and a link is neither followed nor replaced; folders on the way may be links.
 *
 * Between the last look and the rename there is nothing but the two calls; Linux has no rename that
 * compares. What is not kept: hard links to the old file, its extended attributes.
 */
export async function installFile(
  path: string,
  file: FileContent,
  expected?: ExpectedFile,
): Promise<WriteResult> {
  const bytes = Buffer.from(file.text, file.encoding);
  if (bytes.toString(file.encoding) !== file.text) return failed('its text does not fit its encoding');
  const temporary = temporaryOf(path);
  try {
    const refused = await unexpectedAt(path, expected);
    if (refused !== undefined) return failed(refused);
    await makeFolders(dirname(path));
    await rm(temporary, { force: true });
    await writeNew(temporary, bytes, file);
    const changed = await unexpectedAt(path, expected);
    if (changed === undefined) await rename(temporary, path);
    else await rm(temporary, { force: true });
    await syncFolder(dirname(path));
    return changed === undefined ? { kind: 'written' } : failed(changed);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    return failed(describeWriteError(error));
  }
}

/** The same name every time: what one that was killed left behind goes with the next write or removal. */
export function temporaryOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.k3s-doctor`);
}

/** Each on disk before the next is made in it. */
async function makeFolders(path: string): Promise<void> {
  if (existsSync(path)) return;
  await makeFolders(dirname(path));
  try {
    await mkdir(path);
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return;
    throw error;
  }
  // Whatever the umask is.
  await chmod(path, 0o755);
  await syncFolder(dirname(path));
}

async function writeNew(
  path: string,
  bytes: Buffer,
  { mode, uid, gid }: Omit<FileContent, 'text'>,
): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    // In this order: a change of owner takes some bits of the mode away.
    await file.chown(uid, gid);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

function failed(reason: string): WriteResult {
  return { kind: 'failed', reason };
}
