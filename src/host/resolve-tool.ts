import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { pinnedPath } from './pinned-environment.ts';
import { thisProgram } from './this-program.ts';
import type { Tool } from './tools.ts';

/** Command lines from the configuration, program first. */
export type ConfiguredCommands = Partial<Record<Tool, readonly string[]>>;

export interface ToolPlaces {
  readonly commands: ConfiguredCommands;
  /** k3s' data directory, /var/lib/rancher/k3s unless moved. */
  readonly k3sData: string;
  /** Directories joined by `:`; default the pinned PATH. */
  readonly searchPath?: string;
}

export type ToolLocation =
  | { readonly kind: 'found'; readonly argv: readonly string[] }
  | { readonly kind: 'absent'; readonly looked: readonly string[] };

interface Candidate {
  readonly program: string;
  /** Where it may be; undefined = the search path. */
  readonly directory?: string;
  readonly args?: readonly string[];
}

/**
 * Says how to start a tool: what the configuration says, else what is found on the machine.
 *
 * A configured program is never replaced by another one: if it is missing, the tool is absent.
 * For iptables only names that fix the backend are tried; what the bare `iptables-save` means
 * depends on the alternatives system, and the copies that k3s bundles decide it at first use.
 * `k3s-doctor` is the very program that runs: another version of it could be on the path.
 */
export function resolveTool(tool: Tool, places: ToolPlaces): ToolLocation {
  const configured = places.commands[tool];
  if (configured?.[0] !== undefined) {
    return exists(configured[0])
      ? { kind: 'found', argv: configured }
      : { kind: 'absent', looked: [configured[0]] };
  }
  if (tool === 'k3s-doctor') return locateThisProgram();
  const directories = (places.searchPath ?? pinnedPath).split(':');
  const candidates = candidatesFor(tool, places.k3sData);
  for (const { program, directory, args = [] } of candidates) {
    const path = (directory === undefined ? directories : [directory])
      .map((place) => join(place, program))
      .find(isProgram);
    if (path !== undefined) return { kind: 'found', argv: [path, ...args] };
  }
  return { kind: 'absent', looked: describe(candidates, directories) };
}

function locateThisProgram(): ToolLocation {
  const argv = thisProgram();
  return argv === undefined ? { kind: 'absent', looked: ['this program'] } : { kind: 'found', argv };
}

function candidatesFor(tool: Tool, k3sData: string): readonly Candidate[] {
  const bin = join(k3sData, 'data/current/bin');
  const aux = join(bin, 'aux');
  if (tool === 'crictl') return crictlCandidates(bin, k3sData);
  const iptables = /^(ip6?tables)-(legacy|nft)-(save|restore)$/.exec(tool);
  if (iptables === null) {
    return [{ program: tool }, { program: tool, directory: aux }, { program: tool, directory: bin }];
  }
  const [, family, backend, verb] = iptables;
  // Every version of the multi binaries knows the short name; `iptables-nft-save` came with 1.8.
  const multi = { program: `xtables-${backend}-multi`, args: [`${family}-${verb}`] };
  return [{ program: tool }, multi, { program: tool, directory: aux }, { ...multi, directory: aux }];
}

/**
 * k3s' own copy comes first. `k3s crictl`, and the `crictl` link that k3s installs, unpack a k3s that
 * was upgraded but not restarted and switch `data/current` over to it: looking would change the node.
 * The configuration that k3s writes names the runtime; without it crictl guesses among the well-known
 * sockets and may ask Docker's containerd, which knows none of the pods.
 */
function crictlCandidates(bin: string, k3sData: string): readonly Candidate[] {
  const settings = join(k3sData, 'agent/etc/crictl.yaml');
  const args = exists(settings) ? ['--config', settings] : [];
  return [
    { program: 'crictl', directory: bin, args },
    { program: 'crictl', args },
    { program: 'k3s', args: ['crictl', ...args] },
  ];
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function describe(candidates: readonly Candidate[], directories: readonly string[]): readonly string[] {
  return candidates.map(({ program, directory }) =>
    directory === undefined ? `${program} in ${directories.join(':')}` : join(directory, program),
  );
}
