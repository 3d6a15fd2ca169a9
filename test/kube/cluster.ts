import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { KubeResult } from '../../src/host/host.ts';
import { createKubeClient, type KubeClientOptions } from '../../src/kube/client.ts';
import { type KubeconfigOptions, writeKubeconfig } from '../lab/api-server/kubeconfig.ts';
import { type ApiServer, type ApiServerOptions, startApiServer } from '../lab/api-server/server.ts';

export const podsPath = '/api/v1/pods';

/** A server that lives as long as the test, and a folder for kubeconfigs that lead to it. */
export interface Cluster {
  readonly server: ApiServer;
  readonly directory: string;
  /** Writes one, and returns its path. */
  kubeconfig(name: string, options?: Partial<KubeconfigOptions>): Promise<string>;
}

export async function startCluster(options: Partial<ApiServerOptions> = {}): Promise<Cluster> {
  const server = await startApiServer({
    read: (path) => (path === podsPath ? podList(3) : undefined),
    ...options,
  });
  onTestFinished(() => server.close());
  const directory = await temporaryDirectory();
  return {
    server,
    directory,
    async kubeconfig(name, changes = {}) {
      const path = join(directory, name);
      const client = changes.client ?? server.authority.issue({ commonName: name });
      await writeKubeconfig(path, {
        server: server.url,
        authority: server.authority.certificate,
        ...changes,
        client,
      });
      return path;
    },
  };
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'k3s-doctor-kube-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

export function podList(count: number) {
  const items = Array.from({ length: count }, (_, index) => ({ metadata: { name: `pod-${index}` } }));
  return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
}

/** One question with one kubeconfig. */
export function ask(
  kubeconfig: string,
  path = podsPath,
  options: Partial<KubeClientOptions> = {},
): Promise<KubeResult> {
  return createKubeClient({ kubeconfig, k3sData: '/nowhere', env: {}, ...options }).get(path);
}

/** Why nothing came back; fails the test if something did. */
export async function reasonOf(result: Promise<KubeResult>): Promise<string> {
  const { kind, ...rest } = await result;
  if (kind === 'ok' || !('reason' in rest)) throw new Error('there was an answer');
  return rest.reason;
}
