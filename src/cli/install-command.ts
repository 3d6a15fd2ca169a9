import { resolve } from 'node:path';
import { install } from '../install/install.ts';
import { parseEnableNames, systemUnitFolder } from '../install/units.ts';
import { changeInstallationOf, type InstallationOptions } from './installation.ts';

export interface InstallCommandOptions extends InstallationOptions {
  /** Joined by commas. */
  readonly enable?: string;
  readonly unitDir?: string;
}

/** Puts the product's units and its example of a configuration in place. Returns the exit code. */
export async function installCommand(options: InstallCommandOptions): Promise<number> {
  const enable = options.enable === undefined ? [] : parseEnableNames(options.enable);
  return changeInstallationOf(
    {
      verb: 'install',
      question: 'Install?',
      unitFolder: resolve(options.unitDir ?? systemUnitFolder),
      idle: 'everything is installed already',
      change: (change) => install({ ...change, enable }),
    },
    options,
  );
}
