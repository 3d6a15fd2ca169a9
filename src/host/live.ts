import { connectTcp } from './connect-tcp.ts';
import { appendDurably, writeDurably } from './durable-files.ts';
import { fileStatus } from './file-status.ts';
import { takeLock } from './flock.ts';
import type {
  Command,
  CommandResult,
  Environment,
  Host,
  KubePatchResult,
  KubeResult,
  ObjectVersion,
} from './host.ts';
import { installFile } from './install-file.ts';
import { killProcess } from './kill-process.ts';
import { endLeftBehind } from './left-behind.ts';
import { listDirectory } from './list-directory.ts';
import { listProcesses } from './list-processes.ts';
import { localAddresses } from './local-addresses.ts';
import { readTextFile } from './read-text-file.ts';
import { removeEmptyFolder, removeFile } from './remove-file.ts';
import { type ConfiguredCommands, resolveTool, type ToolLocation } from './resolve-tool.ts';
import { runCommand } from './run-command.ts';
import { sameNetworkAsInit } from './same-network-as-init.ts';
import { startDetached } from './start-detached.ts';
import type { Tool } from './tools.ts';

export interface LiveHostOptions {
  readonly commands: ConfiguredCommands;
  readonly paths: { readonly k3sData: string };
  readonly kube: ClusterDoor;
  /** Handed on to `k3s-doctor`, and to no other program. */
  readonly selfEnvironment?: Environment;
  /** For commands that name none; default 10,000. */
  readonly commandTimeoutMs?: number;
}

/** How the cluster is asked and changed, with credentials of this machine. */
export interface ClusterDoor {
  get(path: string): Promise<KubeResult>;
  patch(path: string, patch: string): Promise<KubePatchResult>;
  apply(path: string, manifest: string): Promise<KubePatchResult>;
  remove(path: string, expected: ObjectVersion): Promise<KubePatchResult>;
}

/** The machine this runs on. Tools are looked up when first used, and then remembered. */
export function liveHost(options: LiveHostOptions): Host {
  const { selfEnvironment = {} } = options;
  const locations = new Map<Tool, ToolLocation>();
  const locate = (tool: Tool): ToolLocation => {
    const known = locations.get(tool);
    if (known !== undefined) return known;
    const found = resolveTool(tool, { commands: options.commands, k3sData: options.paths.k3sData });
    locations.set(tool, found);
    return found;
  };
  const run = async (command: Command, onLine?: (line: string) => void): Promise<CommandResult> => {
    const location = locate(command.tool);
    if (location.kind === 'absent') return location;
    return runCommand({
      argv: [...location.argv, ...command.args],
      input: command.input,
      encoding: command.encoding,
      environment: command.tool === 'k3s-doctor' ? selfEnvironment : undefined,
      timeoutMs: command.timeoutMs ?? options.commandTimeoutMs ?? 10_000,
      onLine,
    });
  };
  return {
    kind: 'live',
    run: (command) => run(command),
    runLines: run,
    readFile: readTextFile,
    listDirectory: async (path) => listDirectory(path),
    listProcesses: async () => listProcesses(),
    fileStatus,
    kubeGet: (path) => options.kube.get(path),
    kubePatch: (path, patch) => options.kube.patch(path, patch),
    kubeApply: (path, manifest) => options.kube.apply(path, manifest),
    kubeDelete: (path, expected) => options.kube.remove(path, expected),
    askDns: async (questions, process) => {
      // Node's TLS and HTTP take a fifth of the time of a run that needs neither.
      if (process === undefined) {
        const { askDns } = await import('./ask-dns.ts');
        return Promise.all(questions.map(askDns));
      }
      const { askDnsInside } = await import('./ask-dns-inside.ts');
      const own = locate('k3s-doctor');
      return askDnsInside(process, questions, run, own.kind === 'found' ? own.argv : undefined);
    },
    httpGet: async (url, timeoutMs) => (await import('./http-get.ts')).httpGet(url, timeoutMs),
    connectTcp: (address, port, timeoutMs) => connectTcp({ address, port, timeoutMs }),
    localAddresses: async (family) => localAddresses(family),
    now: () => new Date(),
    locate: (tool) => {
      const location = locate(tool);
      return location.kind === 'found' ? location.argv : undefined;
    },
    selfEnvironment,
    writeDurably,
    appendDurably,
    installFile,
    removeFile,
    removeEmptyFolder,
    lock: async (path, holder) => {
      const location = locate('flock');
      if (location.kind === 'found') return takeLock(path, holder, location.argv);
      return { kind: 'failed', reason: `there is no flock (looked for ${location.looked.join(', ')})` };
    },
    startDetached: (argv) => startDetached(argv, selfEnvironment),
    killProcess,
    endLeftBehind,
    sameNetworkAsInit: () => sameNetworkAsInit(),
  };
}
