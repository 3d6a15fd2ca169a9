import { type ChangeOptions, type ChangeResult, changeInstallation } from './change-installation.ts';
import { folderOf, missingFolders } from './folders.ts';
import { planInstall } from './plan-install.ts';
import type { EnableName, ShippedFile } from './units.ts';

export interface InstallOptions extends Omit<ChangeOptions, 'verb'> {
  readonly files: readonly ShippedFile[];
  /** Units to be enabled and started. */
  readonly enable: readonly EnableName[];
}

/**
 * Writes the product's units and its example of a configuration, and enables units if asked to. What
 * is installed already is left alone. Throws as `changeInstallation` does.
 */
export async function install(options: InstallOptions): Promise<ChangeResult> {
  const { host, config, files, enable } = options;
  // Before the lock, which makes the first of them.
  const { state, run } = config.paths;
  const missing = await missingFolders([state, run, ...files.map(({ path }) => folderOf(path))], host);
  const plan = () => planInstall({ files, enable, missing }, options);
  return changeInstallation({ plan }, { ...options, verb: 'install' });
}
