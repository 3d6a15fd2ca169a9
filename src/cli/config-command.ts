import { resolve } from 'node:path';
import { listSettings } from '../config/list-settings.ts';
import { loadConfig } from '../config/load.ts';
import { print } from './print.ts';

export interface ConfigCommandOptions {
  readonly format: 'text' | 'json';
  readonly config?: string;
  readonly kubeconfig?: string;
}

/** Prints the configuration that holds and where each value comes from. Returns the exit code. */
export async function configCommand(options: ConfigCommandOptions): Promise<number> {
  const { config: path, kubeconfig } = options;
  const loaded = await loadConfig(path === undefined ? {} : { path });
  const settings = listSettings(loaded, kubeconfig === undefined ? {} : { kubeconfig: resolve(kubeconfig) });
  if (options.format === 'json') {
    const rows = settings.map(({ key, value, source, line }) => ({ key, value, source, line: line ?? null }));
    await print(`${JSON.stringify(rows, null, 2)}\n`);
    return 0;
  }
  const { renderSettings } = await import('../config/render-settings.ts');
  await print(renderSettings(settings));
  return 0;
}
