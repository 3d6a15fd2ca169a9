import { resolve } from 'node:path';
import { type Config, defaultConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import type { Host } from '../host/host.ts';
import { liveHost } from '../host/live.ts';
import { createKubeClient } from '../kube/client.ts';
import { clusterEnvironment } from './cluster-environment.ts';
import type { CheckOptions, Inherited } from './options.ts';
import { requireRoot } from './require-root.ts';

export interface HostOptions extends Pick<CheckOptions, 'config' | 'kubeconfig' | 'from' | 'record'> {
  /** What the command calls `from`; default `--from`. */
  readonly fromOption?: string;
}

export interface OpenedHost {
  readonly host: Host;
  readonly config: Config;
  /** To be called when the run is over: a recording is written then. */
  finish(): Promise<void>;
}

/** The node that a run is about: this machine, or a recorded one (`from`). */
export async function openHost(options: HostOptions, inherited: Inherited = {}): Promise<OpenedHost> {
  if (options.from !== undefined) {
    const { replayingHost } = await import('../host/replaying.ts');
    const host = await replayingHost(options.from);
    return { host, config: await configForReplay(options), finish: async () => undefined };
  }
  // First of all: who is not root may not even read the configuration.
  requireRoot(
    'to see and change packet filter rules',
    `run it with sudo, or look at a recorded node with ${options.fromOption ?? '--from'}`,
  );
  const config = inherited.loadedConfig ?? (await configOf(options));
  const environment = clusterEnvironment(process.env);
  const live = liveHost({
    commands: config.commands,
    paths: config.paths,
    commandTimeoutMs: config.commandTimeoutMs,
    kube: createKubeClient({
      kubeconfig: options.kubeconfig === undefined ? config.kubeconfig : resolve(options.kubeconfig),
      k3sData: config.paths.k3sData,
      env: environment,
    }),
    selfEnvironment: environment,
  });
  if (options.record === undefined) return { host: live, config, finish: async () => undefined };
  const { recordingHost } = await import('../host/recording.ts');
  const host = await recordingHost(live, options.record);
  return { host, config, finish: () => host.finish() };
}

/** Anybody may look at a recorded node, on a machine whose own configuration only root may read, too. */
async function configForReplay(options: HostOptions): Promise<Config> {
  const isRoot = process.getuid?.() === 0;
  return options.config === undefined && !isRoot ? defaultConfig() : configOf(options);
}

async function configOf({ config }: HostOptions): Promise<Config> {
  return (await loadConfig(config === undefined ? {} : { path: config })).config;
}
