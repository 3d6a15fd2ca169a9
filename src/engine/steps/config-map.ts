import type { ConfigMapKeyStep } from '../step.ts';
import { isObject, type JsonObject, parseObject } from './json-object.ts';
import type { StepContext } from './step-kind.ts';

/** A ConfigMap as it is now, as far as it concerns one key of it. */
export type Look =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'seen';
      readonly uid: string;
      readonly resourceVersion: string;
      readonly hasData: boolean;
      /** Null: there is no such key among the texts. */
      readonly value: string | null;
      /** There is one of that name among what is no text. */
      readonly isBinary: boolean;
      /** Nothing but that key is in it, and nobody has put anything onto it. */
      readonly isOnlyThatKey: boolean;
      readonly isImmutable: boolean;
      readonly isEnding: boolean;
    }
  | { readonly kind: 'failed'; readonly reason: string };

type ConfigMapKey = Pick<ConfigMapKeyStep, 'namespace' | 'name' | 'key'>;

/** In the API. */
export function pathOf({ namespace, name }: ConfigMapKey): string {
  return `/api/v1/namespaces/${namespace}/configmaps/${name}`;
}

export async function lookAtConfigMap(which: ConfigMapKey, { host }: StepContext): Promise<Look> {
  const path = pathOf(which);
  const answer = await host.kubeGet(path);
  if (answer.kind === 'ok') {
    const found = read(parseObject(answer.body), which.key);
    return found ?? { kind: 'failed', reason: `${path}: the answer is no ConfigMap` };
  }
  return answer.status === 404 ? { kind: 'absent' } : { kind: 'failed', reason: `${path}: ${answer.reason}` };
}

function read(object: JsonObject | undefined, key: string): Look | undefined {
  const metadata = object?.['metadata'];
  if (!object || !isObject(metadata)) return undefined;
  const { uid, resourceVersion } = metadata;
  const { data: texts, binaryData, immutable } = object;
  const data = isObject(texts) ? texts : {};
  const binary = isObject(binaryData) ? Object.keys(binaryData) : [];
  const value = Object.hasOwn(data, key) ? data[key] : null;
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string') return undefined;
  if (value !== null && typeof value !== 'string') return undefined;
  return {
    kind: 'seen',
    uid,
    resourceVersion,
    hasData: isObject(texts),
    value,
    isBinary: binary.includes(key),
    isOnlyThatKey: Object.keys(data).every((each) => each === key) && binary.length === 0 && isBare(metadata),
    isImmutable: immutable === true,
    isEnding: typeof metadata['deletionTimestamp'] === 'string',
  };
}

/** As an object is that was made with nothing but a name. */
function isBare(metadata: JsonObject): boolean {
  return ['labels', 'annotations', 'ownerReferences', 'finalizers'].every((field) => {
    const value = metadata[field];
    return value === undefined || value === null || Object.keys(value).length === 0;
  });
}
