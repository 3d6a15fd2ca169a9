import { createHash, randomBytes } from 'node:crypto';
import type { ClusterState } from '../../api-server/cluster-state.ts';
import { type PodView, readDeployment, readPods, type Template } from './objects.ts';

/**
 * Takes the Deployment's pods one step on: makes those that are missing, ends those of an older template. Of n
 * one may be missing meanwhile, as k3s' manifest says: the only one ends at once. Then writes its status.
 */
export function controlDeployment(state: ClusterState): void {
  const deployment = readDeployment(state);
  if (deployment === undefined) return;
  const { replicas, template } = deployment.spec;
  const hash = hashOf(template);
  const pods = readPods(state).filter(({ isEnding }) => !isEnding);
  const current = pods.filter((pod) => pod.hash === hash);
  const old = pods.filter((pod) => pod.hash !== hash);

  for (let n = Math.min(replicas - current.length, replicas + 1 - pods.length + 1); n > 0; n--) {
    state.put(newPod(template, hash));
  }
  for (const pod of current.slice(replicas)) endPod(state, pod);
  let mayMiss = pods.filter(({ isReady }) => isReady).length - (replicas - 1);
  for (const pod of old) {
    if (pod.isReady && mayMiss-- <= 0) continue;
    endPod(state, pod);
  }
  writeStatus(state, hash);
}

/** Makes the first pod on a node of choice, where a scheduler had once put it. */
export function putFirstPod(state: ClusterState, nodeName: string): void {
  const template = readDeployment(state)?.spec.template;
  if (template === undefined) return;
  const pod = newPod(template, hashOf(template));
  state.put({ ...pod, spec: { ...pod.spec, nodeName } });
}

function writeStatus(state: ClusterState, hash: string): void {
  const deployment = readDeployment(state);
  if (deployment === undefined) return;
  const { object, metadata, spec } = deployment;
  const pods = readPods(state).filter(({ isEnding }) => !isEnding);
  const updated = pods.filter((pod) => pod.hash === hash).length;
  const ready = pods.filter(({ isReady }) => isReady).length;
  const isDone = updated === spec.replicas && ready === spec.replicas && pods.length === updated;
  state.put({
    ...object,
    status: {
      observedGeneration: metadata.generation,
      replicas: pods.length,
      updatedReplicas: updated,
      readyReplicas: ready,
      availableReplicas: ready,
      ...(ready < spec.replicas && { unavailableReplicas: spec.replicas - ready }),
      conditions: [
        { type: 'Available', status: ready >= spec.replicas - 1 ? 'True' : 'False' },
        {
          type: 'Progressing',
          status: 'True',
          reason: isDone ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
        },
      ],
    },
  });
}

export function endPod(state: ClusterState, { object }: PodView): void {
  const deletionTimestamp = new Date().toISOString();
  state.put({ ...object, metadata: { ...object.metadata, deletionTimestamp } });
}

function newPod(template: Template, hash: string) {
  const name = `coredns-${hash}-${randomBytes(3).toString('hex').slice(0, 5)}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'kube-system',
      labels: { ...template.metadata.labels, 'pod-template-hash': hash },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `coredns-${hash}`, uid: hash, controller: true },
      ],
    },
    spec: template.spec,
    status: { phase: 'Pending', qosClass: 'Burstable' },
  };
}

function hashOf({ metadata: { labels }, spec }: Template): string {
  return createHash('sha256')
    .update(JSON.stringify({ labels, spec: sorted(spec) }))
    .digest('hex')
    .slice(0, 10);
}

/** The order of an object's fields is no difference. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}
