import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { WriteResult } from './host.ts';
import { makeFolder } from './make-folder.ts';
import { systemErrorCode } from './system-error.ts';

/** Writes beside the file, syncs, renames over it, syncs the folder: after a crash it is the old or the new. */
export async function writeDurably(path: string, text: string): Promise<WriteResult> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  try {
    await makeFolder(dirname(path), 0o700);
    await writeSynced(temporary, 'wx', text);
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return { kind: 'written' };
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    return { kind: 'failed', reason: describe(error) };
  }
}

export async function appendDurably(path: string, line: string): Promise<WriteResult> {
  try {
    await makeFolder(dirname(path), 0o700);
    await writeSynced(path, 'a', `${line}\n`);
    await syncFolder(dirname(path));
    return { kind: 'written' };
  } catch (error) {
    return { kind: 'failed', reason: describe(error) };
  }
}

async function writeSynced(path: string, flags: 'a' | 'wx', text: string): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(text, 'latin1');
    await file.sync();
  } finally {
    await file.close();
  }
}

function describe(error: unknown): string {
  switch (systemErrorCode(error)) {
    case 'ENOSPC':
      return 'no space left on the device';
    case 'EROFS':
      return 'the file system is read-only';
    case 'EDQUOT':
      return 'the disk quota is used up';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/** A new name is only on disk when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
