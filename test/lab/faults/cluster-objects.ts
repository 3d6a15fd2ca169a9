import type { Step } from '../../../src/engine/step.ts';

export const configMapPath = '/api/v1/namespaces/kube-system/configmaps/coredns-custom';
export const deploymentPath = '/apis/apps/v1/namespaces/kube-system/deployments/coredns';

export const key = 'k3s-doctor-upstream.override';
const selector = { 'kubernetes.io/os': 'linux' };
const pinned = { ...selector, 'node-role.kubernetes.io/control-plane': 'true' };

export const coreDns = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'coredns', namespace: 'kube-system' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    template: { spec: { nodeSelector: selector } },
  },
  status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
};

/** What somebody else has in the ConfigMap that is not there at first. */
export const theirs = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'coredns-custom', namespace: 'kube-system' },
  data: { 'their.server': 'example.org:53 {\n}\n' },
};

/** Made up: none of the checks plans these three together. */
export const plan: readonly Step[] = [
  {
    kind: 'config-map-key',
    namespace: 'kube-system',
    name: 'coredns-custom',
    key,
    was: null,
    value: 'forward . 192.0.2.53\n',
  },
  {
    kind: 'kube-patch',
    title: 'Deployment coredns: only on servers',
    object: deploymentPath,
    fields: [{ pointer: '/spec/template/spec/nodeSelector', was: selector, value: pinned }],
  },
  {
    kind: 'wait',
    title: 'coredns has rolled out',
    until: { kind: 'rolled-out', object: deploymentPath },
    deadlineMs: 3_000,
  },
];

/** All objects by path, as faulty-api.ts keeps them. */
export type Objects = Readonly<Record<string, unknown>>;
