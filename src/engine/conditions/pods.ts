import type { Host } from '../../host/host.ts';
import { oneLine } from '../one-line.ts';
import { isObject, parseObject } from '../steps/json-object.ts';
import { findPlace } from '../steps/json-pointer.ts';

/** What of a pod says whether it is to be reckoned with. */
export interface PodState {
  readonly name: string;
  readonly address: string | undefined;
  readonly isRunning: boolean;
  readonly isReady: boolean;
  /** It is being deleted, or has ended. */
  readonly isGoing: boolean;
  /** Of those that run now or ran last, without `containerd://`. */
  readonly containers: readonly string[];
  /** `Pending: 0/2 nodes are available: ...`, `Running, not ready: CrashLoopBackOff ...`. */
  readonly detail: string;
}

/** Undefined when they cannot be listed. */
export async function listPods(
  namespace: string,
  labels: Readonly<Record<string, string>>,
  host: Host,
): Promise<readonly PodState[] | undefined> {
  const selector = Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  const query = `labelSelector=${encodeURIComponent(selector)}`;
  const answer = await host.kubeGet(`/api/v1/namespaces/${namespace}/pods?${query}`);
  const items = answer.kind === 'ok' ? parseObject(answer.body)?.['items'] : undefined;
  return Array.isArray(items) ? items.map(readPod) : undefined;
}

/** That one pod; `gone` also when it is about to go; undefined when that cannot be told. */
export async function lookAtPod(
  namespace: string,
  name: string,
  host: Host,
): Promise<PodState | 'gone' | undefined> {
  const answer = await host.kubeGet(`/api/v1/namespaces/${namespace}/pods/${name}`);
  if (answer.kind === 'unavailable') return answer.status === 404 ? 'gone' : undefined;
  const object = parseObject(answer.body);
  const pod = object && readPod(object);
  return pod?.isGoing ? 'gone' : pod;
}

/** Of the pods of a Deployment the one that keeps it from being rolled out; undefined: none, or not known. */
export async function describeWorstPod(
  deployment: string,
  labels: unknown,
  host: Host,
): Promise<string | undefined> {
  const namespace = /\/namespaces\/([^/]+)\//.exec(deployment)?.[1];
  if (namespace === undefined || !isLabels(labels)) return undefined;
  const pods = (await listPods(namespace, labels, host)) ?? [];
  const pod =
    pods.find(({ isReady, isGoing }) => !isReady && !isGoing) ?? pods.find(({ isGoing }) => isGoing);
  return pod && `pod ${pod.name} is ${pod.detail}`;
}

function isLabels(value: unknown): value is Readonly<Record<string, string>> {
  if (!isObject(value)) return false;
  const values = Object.values(value);
  return values.length > 0 && values.every((each) => typeof each === 'string');
}

function readPod(pod: unknown): PodState {
  const read = (pointer: string) => textAt(pod, pointer);
  const phase = read('/status/phase') ?? 'of unknown state';
  const conditions = listAt(pod, '/status/conditions');
  const isReady = conditions.some(
    (each) => textAt(each, '/type') === 'Ready' && textAt(each, '/status') === 'True',
  );
  const isDeleted = read('/metadata/deletionTimestamp') !== undefined;
  const why = isReady ? undefined : (whyNotScheduled(conditions) ?? whyNotRunning(pod));
  const words = isDeleted ? 'being deleted' : phase === 'Running' && !isReady ? 'Running, not ready' : phase;
  return {
    name: read('/metadata/name') ?? '?',
    address: read('/status/podIP'),
    isRunning: phase === 'Running',
    isReady,
    isGoing: isDeleted || phase === 'Failed' || phase === 'Succeeded',
    containers: listAt(pod, '/status/containerStatuses').flatMap(
      (each) => textAt(each, '/containerID')?.replace(/^[a-z-]+:\/\//, '') ?? [],
    ),
    detail: why === undefined ? words : `${words}: ${oneLine(why, 200)}`,
  };
}

function whyNotScheduled(conditions: readonly unknown[]): string | undefined {
  const scheduled = conditions.find((each) => textAt(each, '/type') === 'PodScheduled');
  return textAt(scheduled, '/status') === 'False' ? textAt(scheduled, '/message') : undefined;
}

function whyNotRunning(pod: unknown): string | undefined {
  for (const each of listAt(pod, '/status/containerStatuses')) {
    const reason = textAt(each, '/state/waiting/reason') ?? textAt(each, '/state/terminated/reason');
    const message = textAt(each, '/state/waiting/message') ?? textAt(each, '/state/terminated/message');
    if (reason !== undefined) return message === undefined ? reason : `${reason}: ${message}`;
  }
  return undefined;
}

function textAt(document: unknown, pointer: string): string | undefined {
  const place = findPlace(document, pointer);
  return place.kind !== 'nowhere' && typeof place.value === 'string' ? place.value : undefined;
}

function listAt(document: unknown, pointer: string): readonly unknown[] {
  const place = findPlace(document, pointer);
  return place.kind !== 'nowhere' && Array.isArray(place.value) ? place.value : [];
}
