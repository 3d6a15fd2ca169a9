import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import type { FileStatus } from './host.ts';
import { describeSystemError, systemErrorCode } from './system-error.ts';

/** What is at a path; a link is not followed. */
export async function fileStatus(path: string): Promise<FileStatus> {
  try {
    const stats = await lstat(path);
    const what = describeOther(stats);
    if (what !== undefined) return { kind: 'other', what };
    return { kind: 'file', mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' };
    return { kind: 'unreadable', reason: describeSystemError(error) };
  }
}

function describeOther(stats: Stats): string | undefined {
  if (stats.isFile()) return undefined;
  if (stats.isDirectory()) return 'a folder';
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}
