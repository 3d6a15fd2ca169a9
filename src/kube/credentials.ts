import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export interface CredentialSearch {
  /** From `--kubeconfig` or the configuration. When given, no other is tried. */
  readonly kubeconfig?: string | undefined;
  /** The data directory of k3s, usually /var/lib/rancher/k3s. */
  readonly k3sData: string;
  readonly env: CredentialEnvironment;
  /** Where k3s writes the administrator's kubeconfig; default /etc/rancher/k3s/k3s.yaml. */
  readonly k3sConfig?: string | undefined;
  /** Where a pod finds its own account; default /var/run/secrets/kubernetes.io/serviceaccount. */
  readonly serviceAccount?: string | undefined;
}

interface CredentialEnvironment {
  readonly KUBECONFIG?: string | undefined;
  readonly KUBERNETES_SERVICE_HOST?: string | undefined;
  readonly KUBERNETES_SERVICE_PORT?: string | undefined;
}

export type CredentialSource =
  | { readonly kind: 'kubeconfig' /** Its absolute path. */; readonly name: string }
  | {
      readonly kind: 'service-account';
      /** The directory that holds `token` and `ca.crt`. */
      readonly name: string;
      readonly server: string;
    };

export interface FoundCredentials {
  /** In the order in which to try them. */
  readonly sources: readonly CredentialSource[];
  readonly lookedFor: readonly string[];
}

/**
 * The credentials that exist on this machine, the most able first: the administrator's, then what
 * every node has for kube-proxy (it may list EndpointSlices), a pod's own account, and the kubelet's,
 * which may see little. Existence is all that is looked at: whether they work shows when they are used.
 */
export async function findCredentials(search: CredentialSearch): Promise<FoundCredentials> {
  if (search.kubeconfig !== undefined) {
    const name = resolve(search.kubeconfig);
    return { sources: [{ kind: 'kubeconfig', name }], lookedFor: [name] };
  }
  const fromEnvironment = (search.env.KUBECONFIG ?? '').split(':').filter((path) => path !== '');
  const candidates = [
    ...(await firstExisting(fromEnvironment.map((path) => kubeconfig(path)))),
    kubeconfig(search.k3sConfig ?? '/etc/rancher/k3s/k3s.yaml'),
    kubeconfig(join(search.k3sData, 'agent/kubeproxy.kubeconfig')),
    ...serviceAccount(search),
    kubeconfig(join(search.k3sData, 'agent/kubelet.kubeconfig')),
  ];
  const sources: CredentialSource[] = [];
  for (const candidate of candidates) {
    const known = sources.some((source) => source.name === candidate.name);
    if (!known && (await exists(candidate.name))) sources.push(candidate);
  }
  const lookedFor = [...fromEnvironment, ...candidates.map((candidate) => candidate.name)];
  return { sources, lookedFor: [...new Set(lookedFor)] };
}

function kubeconfig(path: string): CredentialSource {
  return { kind: 'kubeconfig', name: resolve(path) };
}

/** Outside a pod there is no such environment, and the directory cannot be used without it. */
function serviceAccount(search: CredentialSearch): readonly CredentialSource[] {
  const host = search.env.KUBERNETES_SERVICE_HOST;
  const port = search.env.KUBERNETES_SERVICE_PORT ?? '443';
  if (host === undefined || host === '') return [];
  const name = search.serviceAccount ?? '/var/run/secrets/kubernetes.io/serviceaccount';
  return [
    { kind: 'service-account', name, server: `https://${host.includes(':') ? `[${host}]` : host}:${port}` },
  ];
}

async function firstExisting(sources: readonly CredentialSource[]): Promise<readonly CredentialSource[]> {
  for (const source of sources) {
    if (await exists(source.name)) return [source];
  }
  return [];
}

/** What is there but may not be looked at counts as existing, so that the reason can say so. */
async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  );
}
