import { resolve } from 'node:path';
import type { Site } from '../engine/site.ts';
import { openHost } from './open-host.ts';
import type { Inherited, RunOptions } from './options.ts';

/** This machine, for a command that may change it. */
export async function openSite(options: RunOptions, inherited: Inherited = {}): Promise<Site> {
  const { host, config } = await openHost(options, inherited);
  return { host, config, selfArgs: selfArgs(options) };
}

/** Other processes are started in another folder. */
function selfArgs({ config, kubeconfig }: RunOptions): string[] {
  return [
    ...(config === undefined ? [] : ['--config', resolve(config)]),
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', resolve(kubeconfig)]),
  ];
}
