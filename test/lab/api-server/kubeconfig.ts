import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stringify } from 'yaml';
import type { Certified } from './certificates.ts';

export interface KubeconfigOptions {
  /** Such as `https://127.0.0.1:6443`. */
  readonly server: string;
  /** Certificate in PEM. */
  readonly authority: string;
  readonly client: Certified | { readonly token: string };
  /** `files`: certificates beside the kubeconfig, named in it, as in those that k3s gives to its agents. */
  readonly style?: 'embedded' | 'files';
  /** Further fields of the cluster and the user, which win. */
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly user?: Readonly<Record<string, unknown>>;
}

/** Writes a kubeconfig with one context, in the layout of k3s' own, mode 0600. */
export async function writeKubeconfig(path: string, options: KubeconfigOptions): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const write = async (suffix: string, text: string) => {
    await writeFile(`${path}${suffix}`, text, { mode: 0o600 });
    return `${path}${suffix}`;
  };
  const isEmbedded = options.style !== 'files';
  const pem = async (field: string, suffix: string, text: string) =>
    isEmbedded ? { [`${field}-data`]: base64(text) } : { [field]: await write(suffix, text) };

  const cluster = {
    server: options.server,
    ...(await pem('certificate-authority', '.ca.crt', options.authority)),
    ...options.cluster,
  };
  const credentials =
    'token' in options.client
      ? { token: options.client.token }
      : {
          ...(await pem('client-certificate', '.crt', options.client.certificate)),
          ...(await pem('client-key', '.key', options.client.key)),
        };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'local', cluster }],
    users: [{ name: 'user', user: { ...credentials, ...options.user } }],
    contexts: [{ name: 'Default', context: { cluster: 'local', namespace: 'default', user: 'user' } }],
    'current-context': 'Default',
  };
  await write('', stringify(config));
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
