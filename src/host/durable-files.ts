import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describeWriteError } from './describe-write-error.ts';
import type { TextEncoding, WriteResult } from './host.ts';
import { makeFolder } from './make-folder.ts';
import { syncFolder } from './sync-folder.ts';

/** Writes beside the file, syncs, renames over it, syncs the folder: after a crash it is the old or the new. */
export async function writeDurably(path: string, text: string): Promise<WriteResult> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  try {
    await makeFolder(dirname(path), 0o700);
    await writeSynced(temporary, 'wx', { text, encoding: 'latin1' });
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return { kind: 'written' };
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    return { kind: 'failed', reason: describeWriteError(error) };
  }
}

export async function appendDurably(path: string, line: string): Promise<WriteResult> {
  try {
    await makeFolder(dirname(path), 0o700);
    await writeSynced(path, 'a', { text: `${line}\n`, encoding: 'utf8' });
    await syncFolder(dirname(path));
    return { kind: 'written' };
  } catch (error) {
    return { kind: 'failed', reason: describeWriteError(error) };
  }
}

async function writeSynced(
  path: string,
  flags: 'a' | 'wx',
  { text, encoding }: { readonly text: string; readonly encoding: TextEncoding },
): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(text, encoding);
    await file.sync();
  } finally {
    await file.close();
  }
}
