import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeWriteError } from './describe-write-error.ts';
import type { WriteResult } from './host.ts';
import { temporaryOf } from './install-file.ts';
import { makeFolder } from './make-folder.ts';
import { syncFolder } from './sync-folder.ts';

/**
 * Writes beside the file, syncs, renames over it, syncs the folder: after a crash it is the old or the
 * new. The name beside it is always the same, so that what a crash leaves goes with the next write;
 * whoever writes holds the lock.
 */
export async function writeDurably(path: string, text: string): Promise<WriteResult> {
  const temporary = temporaryOf(path);
  try {
    await makeFolder(dirname(path), 0o700);
    await rm(temporary, { force: true });
    await writeSynced(temporary, text);
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return { kind: 'written' };
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    return { kind: 'failed', reason: describeWriteError(error) };
  }
}

/** A line that was cut short by a crash is ended first; one that finds no room is taken out again. */
export async function appendDurably(path: string, line: string): Promise<WriteResult> {
  try {
    await makeFolder(dirname(path), 0o700);
    const file = await open(path, 'a+', 0o600);
    try {
      await appendLine(file, line);
    } finally {
      await file.close();
    }
    await syncFolder(dirname(path));
    return { kind: 'written' };
  } catch (error) {
    return { kind: 'failed', reason: describeWriteError(error) };
  }
}

async function appendLine(file: FileHandle, line: string): Promise<void> {
  const { size } = await file.stat();
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
  const isTorn = size > 0 && buffer[0] !== 0x0a;
  try {
    await file.writeFile(`${isTorn ? '\n' : ''}${line}\n`, 'utf8');
    await file.sync();
  } catch (error) {
    await file.truncate(size).catch(() => undefined);
    throw error;
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text, 'latin1');
    await file.sync();
  } finally {
    await file.close();
  }
}
