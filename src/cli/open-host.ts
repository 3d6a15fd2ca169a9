import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { DoctorError } from '../doctor-error.ts';
import type { Host } from '../host/host.ts';
import { liveHost } from '../host/live.ts';
import { createKubeGet } from '../kube/client.ts';
import type { CheckOptions } from './options.ts';

export interface OpenedHost {
  readonly host: Host;
  readonly config: Config;
  /** To be called when the run is over: a recording is written then. */
  finish(): Promise<void>;
}

/** The node that a run is about: this machine, or a recorded one (`--from`). */
export async function openHost(options: CheckOptions): Promise<OpenedHost> {
  const { config } = await loadConfig(options.config === undefined ? {} : { path: options.config });
  if (options.from !== undefined) {
    const { replayingHost } = await import('../host/replaying.ts');
    return { host: await replayingHost(options.from), config, finish: async () => undefined };
  }
  if (process.getuid?.() !== 0) {
    throw new DoctorError('undetermined', 'k3s-doctor must be root to see and change packet filter rules', {
      hint: 'run it with sudo, or look at a recorded node with --from',
    });
  }
  const live = liveHost({
    commands: config.commands,
    paths: config.paths,
    commandTimeoutMs: config.commandTimeoutMs,
    kubeGet: createKubeGet(kubeOptions(config, options)),
  });
  if (options.record === undefined) return { host: live, config, finish: async () => undefined };
  const { recordingHost } = await import('../host/recording.ts');
  const host = await recordingHost(live, options.record);
  return { host, config, finish: () => host.finish() };
}

function kubeOptions(config: Config, { kubeconfig }: CheckOptions): Parameters<typeof createKubeGet>[0] {
  const explicit = kubeconfig === undefined ? config.kubeconfig : resolve(kubeconfig);
  const env = ['KUBECONFIG', 'KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...(explicit !== undefined && { kubeconfig: explicit }),
    k3sData: config.paths.k3sData,
    env: Object.fromEntries(env),
  };
}
