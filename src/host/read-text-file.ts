import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { FileResult, TextEncoding } from './host.ts';
import { describeSystemError, systemErrorCode } from './system-error.ts';

/** Larger ones are not ours to read, and do not fit in one string. */
const maxFileBytes = 512 * 1024 * 1024 - 1024;

/**
 * Reads a whole regular file. Pipes, sockets, devices and directories are `unreadable`: opening some
 * of them waits for ever, or does something (a watchdog starts when it is opened). The files below
 * /proc and /sys count as regular ones.
 */
export async function readTextFile(path: string, encoding: TextEncoding = 'utf8'): Promise<FileResult> {
  let file: FileHandle | undefined;
  try {
    // Looked at before it is opened, and again through the open file: it may have been replaced.
    const refused = refusal(await stat(path));
    if (refused !== undefined) return { kind: 'unreadable', reason: refused };
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const replaced = refusal(await file.stat());
    if (replaced !== undefined) return { kind: 'unreadable', reason: replaced };
    return { kind: 'read', text: await file.readFile(encoding) };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' };
    return { kind: 'unreadable', reason: describeSystemError(error) };
  } finally {
    await file?.close();
  }
}

function refusal(stats: { isFile(): boolean; isDirectory(): boolean; size: number }): string | undefined {
  if (stats.isDirectory()) return 'it is a directory';
  if (!stats.isFile()) return 'it is not a regular file';
  if (stats.size > maxFileBytes) return `it is larger than ${maxFileBytes} bytes`;
  return undefined;
}
