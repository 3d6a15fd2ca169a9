import { fileStatus } from './file-status.ts';
import type { ExpectedFile } from './host.ts';
import { readTextFile } from './read-text-file.ts';

/**
 * Why a path may not be written over: what is there is no regular file, or is not what was expected.
 * Undefined: go on, at once.
 */
export async function unexpectedAt(
  path: string,
  expected: ExpectedFile | undefined,
): Promise<string | undefined> {
  const status = await fileStatus(path);
  if (status.kind === 'other') return `it is ${status.what}`;
  if (status.kind === 'unreadable') return status.reason;
  if (expected === undefined) return undefined;
  if (status.kind === 'absent') return expected.text === null ? undefined : 'it is gone';
  if (expected.text === null) return 'it is there now';
  const found = await readTextFile(path, 'latin1');
  if (found.kind === 'absent') return 'it is gone';
  if (found.kind === 'unreadable') return found.reason;
  const wanted = Buffer.from(expected.text, expected.encoding).toString('latin1');
  return found.text === wanted ? undefined : 'it has changed';
}
