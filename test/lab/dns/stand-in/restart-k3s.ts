import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { ClusterState } from '../../api-server/cluster-state.ts';
import { isObject, isRecord, pathOf } from '../../api-server/resource.ts';
import type { LabNode } from '../../node/start-node.ts';
import type { WorkerNode } from './kubelet.ts';

const folder = '/var/lib/rancher/k3s/server/manifests';

/**
 * What a restart of a server does to CoreDNS: all manifests are applied anew but those that are to be skipped (of a
 * ConfigMap the keys that they have), and kubelet takes its resolv.conf from where k3s' settings say, for pods that
 * are made from then on. It writes `coredns.yaml` again beforehand, where that is not skipped.
 */
export async function restartK3s(state: ClusterState, worker: WorkerNode, packaged: string): Promise<void> {
  const { node } = worker;
  const names = (await node.run(['ls', folder])).split('\n').filter((name) => name !== '');
  if (!names.includes('coredns.yaml.skip')) await node.writeFile(`${folder}/coredns.yaml`, packaged, '600');
  for (const name of names.filter((each) => each.endsWith('.yaml') && !names.includes(`${each}.skip`))) {
    for (const document of parseAllDocuments(await node.readFile(`${folder}/${name}`))) {
      applyManifest(state, document.toJS());
    }
  }
  const resolvConf = await chosenResolvConf(node);
  if (resolvConf !== undefined) worker.resolvConf = await node.readFile(resolvConf);
}

/** Fields that others have added to a Deployment may survive in the world; here none does. */
function applyManifest(state: ClusterState, manifest: unknown): void {
  if (!isObject(manifest)) return;
  const live = state.get(pathOf(manifest));
  if (live === undefined || manifest.kind === 'Service') return;
  const metadata = { ...live.metadata, ...manifest.metadata };
  const { data } = live;
  const kept = isRecord(data) && isRecord(manifest['data']) ? { data: { ...data, ...manifest['data'] } } : {};
  state.put({ ...live, ...manifest, ...kept, metadata });
}

async function chosenResolvConf(node: LabNode): Promise<string | undefined> {
  const { stdout } = await node.exec(['sh', '-c', 'cat /etc/rancher/k3s/config.yaml.d/*.yaml']);
  const [settings] = parseAllDocuments(stdout);
  return z.object({ 'resolv-conf': z.string().optional() }).catch({}).parse(settings?.toJS())['resolv-conf'];
}
