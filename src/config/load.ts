import { resolve } from 'node:path';
import { DoctorError } from '../doctor-error.ts';
import type { Config } from './config.ts';
import { defaultConfig } from './config.ts';
import type { LineOf } from './parse-config.ts';
import { readConfigFile } from './read-config-file.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read; undefined when there is none and the defaults hold. */
  readonly source: string | undefined;
  /** Where that file says so much of a setting. */
  readonly lineOf: LineOf;
}

export interface LoadConfigOptions {
  /** The operator's `--config`: must exist. */
  readonly path?: string | undefined;
  /** Read when there is no `path`; may be missing. */
  readonly defaultPath?: string;
}

/**
 * Reads the configuration. Throws DoctorError `config` for a file that is missing though named, that
 * others than root could have written, or that says something else than the schema allows.
 */
export async function loadConfig(options: LoadConfigOptions = {}): Promise<LoadedConfig> {
  const path = resolve(options.path ?? options.defaultPath ?? '/etc/k3s-doctor/config.yaml');
  const text = readConfigFile(path);
  if (text !== undefined) {
    const { parseConfig } = await import('./parse-config.ts');
    return { ...(await parseConfig(path, text)), source: path };
  }
  if (options.path === undefined) {
    return { config: defaultConfig(), source: undefined, lineOf: () => undefined };
  }
  throw new DoctorError('config', `${path}: there is no such file`, {
    hint: 'correct --config, or leave it away to use the default configuration',
  });
}
