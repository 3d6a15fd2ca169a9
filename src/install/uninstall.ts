import { type ChangeOptions, type ChangeResult, changeInstallation } from './change-installation.ts';
import type { InstallationPlan } from './plan-install.ts';
import { planUninstall } from './plan-uninstall.ts';
import { findBelongings, purge } from './purge.ts';
import type { ShippedFile } from './units.ts';

export interface UninstallOptions extends Omit<ChangeOptions, 'verb'> {
  /** What an install of this version would write. */
  readonly files: readonly ShippedFile[];
  /** Journal, backups, history and state go, too. */
  readonly purge: boolean;
}

/**
 * Stops the product's units and removes what installs have written, unless it was changed since. Throws
 * as `changeInstallation` does.
 */
export function uninstall(options: UninstallOptions): Promise<ChangeResult> {
  const { host, config } = options;
  const request = { ...options, verb: 'uninstall' } as const;
  if (!options.purge) return changeInstallation({ plan: () => planUninstall(options, options) }, request);
  return changeInstallation(
    {
      plan: async () => withPurge(await planUninstall(options, options), options),
      last: () => purge(host, config),
      hasLast: async () => {
        const { files, folders } = await findBelongings(host, config);
        return files.length + folders.length > 0;
      },
    },
    request,
  );
}

async function withPurge(
  { obstacles, notices, ...plan }: InstallationPlan,
  { host, config }: UninstallOptions,
): Promise<InstallationPlan> {
  const { foreign } = await findBelongings(host, config);
  const { state, run } = config.paths;
  return {
    ...plan,
    obstacles: [
      ...obstacles,
      ...foreign.map((path) => `${path} is not doctor's and would be lost; ${moveAway}`),
    ],
    notices: [
      ...notices,
      `journal, backups and history in ${state} and ${run} go, too, and cannot be brought back`,
    ],
  };
}

const moveAway = 'move it away to purge the rest';
