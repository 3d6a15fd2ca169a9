import { createKubeClient, type KubeClientOptions } from '../../src/kube/client.ts';
import { createClusterState } from '../lab/api-server/cluster-state.ts';
import type { ApiServerOptions } from '../lab/api-server/server.ts';
import { startCluster } from './cluster.ts';

export const configMapsPath = '/api/v1/namespaces/kube-system/configmaps';
export const customPath = `${configMapsPath}/coredns-custom`;
export const corednsPath = `${configMapsPath}/coredns`;
export const deploymentPath = '/apis/apps/v1/namespaces/kube-system/deployments/coredns';

export function configMap(name: string, data: Readonly<Record<string, string>>) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'kube-system' }, data };
}

/** What of a cluster has to do with DNS. */
const objects = [
  configMap('coredns', { Corefile: '.:53 {\n}\n', NodeHosts: '10.0.0.1 a\n' }),
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'coredns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
    spec: { replicas: 1, template: { spec: { nodeSelector: { os: 'linux' } } } },
    status: { observedGeneration: 1 },
  },
  ...['a', 'b', 'c'].map((name) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: name === 'c' ? 'default' : 'kube-system',
      labels: { 'k8s-app': name === 'b' ? 'other' : 'kube-dns' },
    },
    spec: { nodeName: `node-${name}` },
    status: { phase: name === 'b' ? 'Pending' : 'Running' },
  })),
];

/** A cluster that keeps state, and the real client with the credentials of its administrator. */
export async function startDnsCluster(
  server: Partial<ApiServerOptions> = {},
  options: Partial<KubeClientOptions> = {},
) {
  const state = createClusterState(objects);
  const cluster = await startCluster({ state, ...server });
  const kubeconfig = await cluster.kubeconfig('admin');
  const client = createKubeClient({ kubeconfig, k3sData: '/nowhere', env: {}, ...options });
  return { ...cluster, state, client };
}
