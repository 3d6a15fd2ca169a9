import { readFile, stat } from 'node:fs/promises';
import { errorCode } from './failure-reasons.ts';

const maxBytes = 4 * 1024 * 1024;

export type SmallFile =
  | { readonly kind: 'read'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Reads a kubeconfig or token. A pipe is refused: it could keep the reader waiting for ever. */
export async function readSmallFile(path: string): Promise<SmallFile> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return unreadable('not a regular file');
    if (found.size > maxBytes) return unreadable('larger than 4 MiB');
    return { kind: 'read', text: await readFile(path, 'utf8') };
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    return unreadable(meanings[code] ?? code);
  }
}

const meanings: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
};

function unreadable(reason: string): SmallFile {
  return { kind: 'unreadable', reason };
}
