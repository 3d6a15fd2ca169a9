import type { FileStatus, Host } from '../../src/host/host.ts';
import { memoryHost } from './memory-host.ts';

export type Files = ReadonlyMap<string, Buffer>;

/** A memory host whose files can be steps' files, too. */
export function fileHost(files: Files) {
  const host = memoryHost({
    '/proc/sys/kernel/random/boot_id': 'this-boot\n',
    '/proc/self/stat': '7 (node) S 1',
  });
  for (const [path, bytes] of files) host.files.set(path, bytes);
  const fileStatus = async (path: string): Promise<FileStatus> =>
    host.files.has(path) ? { kind: 'file', mode: 0o644, uid: 0, gid: 0 } : { kind: 'absent' };
  const installFile: Host['installFile'] = async (path, { text }) => {
    host.files.set(path, Buffer.from(text));
    return { kind: 'written' };
  };
  return { ...host, fileStatus, installFile };
}
