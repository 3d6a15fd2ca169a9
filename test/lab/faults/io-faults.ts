import { fileURLToPath } from 'node:url';
import { startBrokenNode, stateFolder } from './broken-node.ts';
import type { Fault } from './try-fault.ts';

export interface IoFault extends Fault {
  /** It is a folder that is synced: a name in it is new, or gone. */
  readonly isFolder: boolean;
}

/** For each time that a fix syncs something to disk: that fails, and all after it. */
export async function listIoFaults(): Promise<readonly IoFault[]> {
  return (await listSyncs()).map(({ name, isFolder }, index) => ({
    where: name,
    isFolder,
    what: 'input/output error, here and ever after',
    under: eio(`${index + 1}+`),
    env: { UV_THREADPOOL_SIZE: '1' },
  }));
}

async function listSyncs(): Promise<readonly { readonly name: string; readonly isFolder: boolean }[]> {
  await using node = await startBrokenNode();
  await node.breakAgain();
  await node.configure({ commandTimeoutMs: 10_000 });
  const trace = ['strace', '-D', '-f', '-y', '-qq', '-o', '/run/lab/trace', '-e', 'trace=fsync'];
  const fix = [process.execPath, main, 'fix', 'iptables-ghosts', '--yes'];
  await node.exec(['sh', '-c', 'exec "$0" "$@" >/dev/null 2>&1 </dev/null', ...trace, ...fix], {
    env: { UV_THREADPOOL_SIZE: '1' },
  });
  const synced = (await node.readFile('/run/lab/trace')).matchAll(/fsync\(\d+<([^>]+)>/g);
  const lines = new Map<string, number>();
  return [...synced].map(([, path = '']) => {
    const name = path
      .replace(`${stateFolder}/`, '')
      .replace(/\d{8}T\d{9}Z-\d+/, 'RUN')
      .replace(/\.(.+)\.k3s-doctor$/, '$1');
    const line = (lines.get(name) ?? 0) + 1;
    lines.set(name, line);
    return { name: `${name}, sync ${line}`, isFolder: /^(journal|backups\/RUN|\/.*)$/.test(name) };
  });
}

function eio(when: string): readonly string[] {
  const trace = ['strace', '-D', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', 'trace=fsync'];
  return [...trace, '-e', `inject=fsync:error=EIO:when=${when}`];
}

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
