import { uninstall } from '../install/uninstall.ts';
import { systemUnitFolder } from '../install/units.ts';
import { changeInstallationOf, type InstallationOptions } from './installation.ts';

export interface UninstallCommandOptions extends InstallationOptions {
  readonly purge?: true;
}

/** Removes what installs have put on this node. Returns the exit code. */
export async function uninstallCommand(options: UninstallCommandOptions): Promise<number> {
  return changeInstallationOf(
    {
      verb: 'uninstall',
      question: 'Uninstall?',
      unitFolder: systemUnitFolder,
      idle: 'nothing that an install has written is left',
      change: (change) => uninstall({ ...change, purge: options.purge ?? false }),
    },
    options,
  );
}
