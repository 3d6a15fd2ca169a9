import { stringify } from 'yaml';
import { z } from 'zod';
import { readFixture } from './cluster-objects.ts';

/**
 * `coredns.yaml` as k3s has it among its manifests: the recorded Deployment and Service, and the ConfigMap without
 * NodeHosts, whose Corefile forwards to /etc/resolv.conf.
 */
export async function packagedManifest(liveCorefile: string): Promise<string> {
  const [deployment, services] = await Promise.all(['deployment', 'services'].map(readFixture));
  const Corefile = liveCorefile.replace(/^( +forward \.) .*$/m, '$1 /etc/resolv.conf');
  const { items } = z.object({ items: z.array(bare) }).parse(services);
  const parts = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: named },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: named, data: { Corefile } },
    bare.parse(deployment),
    ...items.map((service) => ({ apiVersion: 'v1', kind: 'Service', ...service })),
  ];
  return parts.map((part) => stringify(part)).join('---\n');
}

const named = { name: 'coredns', namespace: 'kube-system' } as const;

/** Without what the API has added. */
const bare = z
  .looseObject({ metadata: z.looseObject({}) })
  .transform(
    ({
      metadata: { uid, resourceVersion, creationTimestamp, annotations, generation, ...metadata },
      ...rest
    }) => {
      const { status: _status, ...object } = rest;
      return { ...object, metadata };
    },
  );
