import type { DnsNode } from './settle-dns-node.ts';
import type { DnsCluster } from './start-dns-cluster.ts';

/**
 * What a fix may change, as data that differs only if something was changed: ConfigMaps, Deployment and Service,
 * without what the API and the controllers write into them, and the files that k3s and its manifests have on the
 * nodes.
 */
export async function takeClusterSnapshot({ state, first, second }: DnsCluster): Promise<object> {
  const objects = Object.entries(state.all())
    .filter(([, { kind }]) => ['ConfigMap', 'Deployment', 'Service'].includes(kind))
    .map(([path, { metadata, ...object }]) => {
      const { status: _status, ...rest } = object;
      const { annotations, labels } = metadata;
      return [path, { ...rest, annotations, labels }] as const;
    });
  const [filesOfFirst, filesOfSecond] = await Promise.all([first, second].map(readFiles));
  return { objects: Object.fromEntries(objects), filesOfFirst, filesOfSecond };
}

/** A line for each file and folder: mode, owner, what is in it. */
async function readFiles(node: DnsNode): Promise<readonly string[]> {
  const script = `
cd /etc/rancher && find . -type f -printf '%M %u etc/%P ' -exec sha256sum {} + -o -printf '%M %u etc/%P\\n'
cd /var/lib/rancher && find . -type f -printf '%M %u var/%P ' -exec sha256sum {} + -o -printf '%M %u var/%P\\n'`;
  return (await node.run(['sh', '-c', script])).split('\n').toSorted();
}
