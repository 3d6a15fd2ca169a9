import type { DirectoryEntry, Host, TextEncoding, WriteResult } from '../../src/host/host.ts';

export interface MemoryHost extends Host {
  /** Every file by its path, as bytes. */
  readonly files: Map<string, Buffer>;
  /** To be moved by the test. */
  clock: Date;
  /** Why a path cannot be read. */
  readonly unreadable: Map<string, string>;
  /** Paths that cannot be written or removed; the disk is full of them. */
  readonly full: Set<string>;
  /** Writes and removals, in order. */
  readonly written: string[];
}

const asked = (name: string) => async (): Promise<never> => {
  throw new Error(`this host has no ${name}`);
};

/** A host that is nothing but files and a clock. Everything else is refused. */
export function memoryHost(files: Readonly<Record<string, string>> = {}): MemoryHost {
  const stored = new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]));
  const full = new Set<string>();
  const unreadable = new Map<string, string>();
  const written: string[] = [];
  const change = (path: string, make: () => void): WriteResult => {
    if (full.has(path)) return { kind: 'failed', reason: 'no space left on the device' };
    written.push(path);
    make();
    return { kind: 'written' };
  };
  const host: MemoryHost = {
    kind: 'live',
    files: stored,
    clock: new Date('2026-11-21T12:00:00.000Z'),
    unreadable,
    full,
    written,
    now: () => new Date(host.clock),
    async readFile(path, encoding: TextEncoding = 'utf8') {
      const reason = unreadable.get(path);
      if (reason !== undefined) return { kind: 'unreadable', reason };
      const bytes = stored.get(path);
      return bytes ? { kind: 'read', text: bytes.toString(encoding) } : { kind: 'absent' };
    },
    async listDirectory(path) {
      const entries = new Map<string, DirectoryEntry>();
      for (const [file, bytes] of stored) {
        if (!file.startsWith(`${path}/`)) continue;
        const [name = '', ...below] = file.slice(path.length + 1).split('/');
        const size = below.length === 0 ? bytes.length : 4096;
        entries.set(name, { name, modifiedAt: host.now(), bytes: size });
      }
      return entries.size === 0
        ? undefined
        : [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    writeDurably: async (path, text) => change(path, () => stored.set(path, Buffer.from(text, 'latin1'))),
    appendDurably: async (path, line) =>
      change(path, () =>
        stored.set(path, Buffer.concat([stored.get(path) ?? Buffer.of(), Buffer.from(`${line}\n`)])),
      ),
    removeFile: async (path) => change(path, () => stored.delete(path)),
    async removeEmptyFolder(path) {
      const isEmpty = [...stored.keys()].every((file) => !file.startsWith(`${path}/`));
      return isEmpty ? { kind: 'written' } : { kind: 'failed', reason: 'it is not empty' };
    },
    lock: async () => ({ kind: 'held', release: async () => undefined }),
    locate: () => undefined,
    selfEnvironment: {},
    killProcess: () => false,
    endLeftBehind: async () => [],
    run: asked('programs'),
    runLines: asked('programs'),
    listProcesses: asked('processes'),
    fileStatus: asked('file status'),
    kubeGet: asked('API'),
    kubePatch: asked('API'),
    kubeApply: asked('API'),
    kubeDelete: asked('API'),
    askDns: asked('DNS'),
    httpGet: asked('network'),
    connectTcp: asked('network'),
    localAddresses: asked('network'),
    sameNetworkAsInit: () => undefined,
    installFile: asked('files of others'),
    startDetached: asked('processes'),
  };
  return host;
}
