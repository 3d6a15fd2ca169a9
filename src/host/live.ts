import { connectTcp } from './connect-tcp.ts';
import { appendDurably, writeDurably } from './durable-files.ts';
import { takeLock } from './flock.ts';
import type { Command, CommandResult, Host, KubeResult } from './host.ts';
import { listDirectory } from './list-directory.ts';
import { listProcesses } from './list-processes.ts';
import { localAddresses } from './local-addresses.ts';
import { readTextFile } from './read-text-file.ts';
import { type ConfiguredCommands, resolveTool, type ToolLocation } from './resolve-tool.ts';
import { runCommand } from './run-command.ts';
import type { Tool } from './tools.ts';

export interface LiveHostOptions {
  readonly commands: ConfiguredCommands;
  readonly paths: { readonly k3sData: string };
  readonly kubeGet: (path: string) => Promise<KubeResult>;
  /** For commands that name none; default 10,000. */
  readonly commandTimeoutMs?: number;
}

/** The machine this runs on. Tools are looked up when first used, and then remembered. */
export function liveHost(options: LiveHostOptions): Host {
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
    kubeGet: options.kubeGet,
    connectTcp: (address, port, timeoutMs) => connectTcp({ address, port, timeoutMs }),
    localAddresses: async (family) => localAddresses(family),
    now: () => new Date(),
    writeDurably,
    appendDurably,
    lock: async (path, holder) => {
      const location = locate('flock');
      if (location.kind === 'found') return takeLock(path, holder, location.argv);
      return { kind: 'failed', reason: `there is no flock (looked for ${location.looked.join(', ')})` };
    },
  };
}
