import { delimiter, resolve } from 'node:path';
import type { Environment } from '../host/host.ts';

/**
 * What of the environment leads to a cluster. Paths are made absolute, as other processes are started
 * in another folder; what is set to nothing is left out.
 */
export function clusterEnvironment(env: NodeJS.ProcessEnv): Environment {
  const values = {
    KUBECONFIG: absolutePaths(env['KUBECONFIG'] ?? ''),
    KUBERNETES_SERVICE_HOST: env['KUBERNETES_SERVICE_HOST'] ?? '',
    KUBERNETES_SERVICE_PORT: env['KUBERNETES_SERVICE_PORT'] ?? '',
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
}

function absolutePaths(paths: string): string {
  return paths
    .split(delimiter)
    .filter((path) => path !== '')
    .map((path) => resolve(path))
    .join(delimiter);
}
