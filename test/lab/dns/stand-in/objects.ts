/**
 * stand-in/: what k3s' controllers, scheduler, kubelet and kube-proxy do about CoreDNS, in little and without
 * k3s: pods as a changed Deployment wants them, on nodes that may have them, their volumes, their Service.
 * The API's objects and CoreDNS itself are real; who brings them together is this.
 */
import { z } from 'zod';
import type { ClusterState } from '../../api-server/cluster-state.ts';
import type { KubeObject } from '../../api-server/resource.ts';

const strings = z.record(z.string(), z.string());

const templateSchema = z.looseObject({
  metadata: z.looseObject({ labels: strings }),
  spec: z.looseObject({
    nodeSelector: strings.optional(),
    affinity: z.unknown().optional(),
    tolerations: z
      .array(z.looseObject({ key: z.string().optional(), effect: z.string().optional() }))
      .optional(),
  }),
});

const deploymentSchema = z.looseObject({
  metadata: z.looseObject({ generation: z.number() }),
  spec: z.looseObject({ replicas: z.number().default(1), template: templateSchema }),
});

const podSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    labels: strings.default({}),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.looseObject({ nodeName: z.string().optional() }),
  status: z
    .looseObject({
      podIP: z.string().optional(),
      conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })).default([]),
    })
    .default({ conditions: [] }),
});

export type Template = z.infer<typeof templateSchema>;

/** A pod of CoreDNS, as these controllers read it. */
export interface PodView {
  readonly object: KubeObject;
  readonly path: string;
  readonly name: string;
  readonly node: string | undefined;
  readonly address: string | undefined;
  readonly hash: string;
  readonly isReady: boolean;
  readonly isEnding: boolean;
}

const kubeSystem = '/api/v1/namespaces/kube-system';
export const deploymentPath = '/apis/apps/v1/namespaces/kube-system/deployments/coredns';
export const configPath = `${kubeSystem}/configmaps/coredns`;
export const customPath = `${kubeSystem}/configmaps/coredns-custom`;

export function readDeployment(state: ClusterState) {
  const object = state.get(deploymentPath);
  return object === undefined ? undefined : { object, ...deploymentSchema.parse(object) };
}

export function readPods(state: ClusterState): readonly PodView[] {
  return Object.entries(state.all())
    .filter(([path]) => path.startsWith(`${kubeSystem}/pods/`))
    .map(([path, object]) => viewOf(path, object));
}

function viewOf(path: string, object: KubeObject): PodView {
  const { metadata, spec, status } = podSchema.parse(object);
  return {
    object,
    path,
    name: metadata.name,
    node: spec.nodeName,
    address: status.podIP,
    hash: metadata.labels['pod-template-hash'] ?? '',
    isReady: status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    isEnding: metadata.deletionTimestamp !== undefined,
  };
}

export function dataOf(state: ClusterState, path: string): Readonly<Record<string, string>> {
  return strings.default({}).parse(state.get(path)?.['data']);
}
