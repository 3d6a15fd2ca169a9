import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import type { Host } from '../host/host.ts';
import { liveHost } from '../host/live.ts';
import { createKubeClient } from '../kube/client.ts';
import { clusterEnvironment } from './cluster-environment.ts';
import type { CheckOptions, Inherited } from './options.ts';
import { requireRoot } from './require-root.ts';

export type HostOptions = Pick<CheckOptions, 'config' | 'kubeconfig' | 'from' | 'record'>;

export interface OpenedHost {
  readonly host: Host;
  readonly config: Config;
  /** To be called when the run is over: a recording is written then. */
  finish(): Promise<void>;
}

/** The node that a run is about: this machine, or a recorded one (`--from`). */
export async function openHost(options: HostOptions, inherited: Inherited = {}): Promise<OpenedHost> {
  const config =
    inherited.loadedConfig ??
    (await loadConfig(options.config === undefined ? {} : { path: options.config })).config;
  if (options.from !== undefined) {
    const { replayingHost } = await import('../host/replaying.ts');
    return { host: await replayingHost(options.from), config, finish: async () => undefined };
  }
  requireRoot(
    'to see and change packet filter rules',
    'run it with sudo, or look at a recorded node with --from',
  );
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
