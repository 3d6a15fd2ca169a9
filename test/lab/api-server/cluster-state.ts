import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  apiVersionOf,
  isRecord,
  type KubeObject,
  objectsOf,
  parseResourcePath,
  pathOf,
  type ResourcePath,
} from './resource.ts';

/** The objects of a cluster. Each change gets the next resourceVersion, and is told to whoever watches. */
export interface ClusterState {
  get(path: string): KubeObject | undefined;
  /** Those of a collection, by name; of all namespaces when the path names none. */
  list(collection: ResourcePath): readonly KubeObject[];
  /**
   * Makes or replaces an object. Identity, resourceVersion and generation are the state's own. What changes
   * nothing leaves the object as it is.
   */
  put(object: KubeObject): KubeObject;
  /** Of what is not there: nothing. */
  remove(path: string): KubeObject | undefined;
  /** Of the last change. */
  readonly version: number;
  readonly events: readonly StateEvent[];
  /** Called after each change; returns how to stop that. */
  subscribe(onEvent: (event: StateEvent) => void): () => void;
  /** All objects, by path. */
  all(): Readonly<Record<string, KubeObject>>;
}

export interface StateEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
  readonly version: number;
}

/** `documents`: objects, or lists of them as the API gives them. They are there from the beginning. */
export function createClusterState(documents: readonly unknown[] = []): ClusterState {
  const objects = new Map<string, KubeObject>();
  const events: StateEvent[] = [];
  const listeners = new Set<(event: StateEvent) => void>();
  let version = 1000;

  const tell = (type: StateEvent['type'], object: KubeObject) => {
    const event = { type, object, version };
    events.push(event);
    for (const listener of [...listeners]) listener(event);
  };
  const put = (given: KubeObject): KubeObject => {
    const path = pathOf(given);
    const old = objects.get(path);
    const settled = old === undefined ? born(given) : grown(old, given);
    if (settled === old) return old;
    version += 1;
    const object = { ...settled, metadata: { ...settled.metadata, resourceVersion: String(version) } };
    objects.set(path, object);
    tell(old === undefined ? 'ADDED' : 'MODIFIED', object);
    return object;
  };
  for (const document of documents) for (const object of objectsOf(document)) put(object);
  // What is there from the beginning is listed, and no news.
  events.length = 0;

  return {
    get: (path) => objects.get(path),
    list: (collection) =>
      [...objects.entries()]
        .filter(([path, object]) => isIn(collection, path, object))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, object]) => object),
    put,
    remove(path) {
      const object = objects.get(path);
      if (object === undefined) return undefined;
      objects.delete(path);
      version += 1;
      const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
      tell('DELETED', last);
      return last;
    },
    get version() {
      return version;
    },
    events,
    subscribe(onEvent) {
      listeners.add(onEvent);
      return () => listeners.delete(onEvent);
    },
    all: () => Object.fromEntries(objects),
  };
}

/** Whether an object, or the one that a watcher is told of, belongs to a collection. */
export function isIn(collection: ResourcePath, path: string, object: KubeObject): boolean {
  const parsed = parseResourcePath(path);
  return (
    parsed?.resource === collection.resource &&
    apiVersionOf(parsed) === apiVersionOf(collection) &&
    (collection.namespace === undefined || object.metadata.namespace === collection.namespace)
  );
}

/** Kinds whose objects count the changes of their spec; that of a Pod or Service does not. */
const counted = new Set(['Deployment', 'ReplicaSet', 'DaemonSet', 'PodDisruptionBudget']);

function born(object: KubeObject): KubeObject {
  const { metadata } = object;
  return {
    ...object,
    metadata: {
      ...metadata,
      uid: metadata.uid ?? randomUUID(),
      creationTimestamp: metadata.creationTimestamp ?? new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      ...(counted.has(object.kind) && { generation: metadata.generation ?? 1 }),
    },
  };
}

function grown(old: KubeObject, given: KubeObject): KubeObject {
  const { uid, creationTimestamp, resourceVersion, generation } = old.metadata;
  const same = {
    ...given,
    metadata: {
      ...given.metadata,
      ...(uid !== undefined && { uid }),
      ...(creationTimestamp !== undefined && { creationTimestamp }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(generation !== undefined && { generation }),
    },
  };
  if (isDeepStrictEqual(withoutManagers(same), withoutManagers(old)) && haveSameManagers(same, old))
    return old;
  if (generation === undefined || isDeepStrictEqual(given['spec'], old['spec'])) return same;
  return { ...same, metadata: { ...same.metadata, generation: generation + 1 } };
}

function withoutManagers({ metadata, ...object }: KubeObject): unknown {
  const { managedFields: _none, ...rest } = metadata;
  return { ...object, metadata: rest };
}

/** The order of managers, and that of their fields, says nothing. */
function haveSameManagers(one: KubeObject, other: KubeObject): boolean {
  const keyed = ({ metadata }: KubeObject) =>
    new Map(
      (metadata.managedFields ?? []).map((each) => [`${each.manager} ${each.operation}`, each.fieldsV1]),
    );
  return isDeepStrictEqual(keyed(one), keyed(other));
}

export function isStatusOnly(path: ResourcePath): boolean {
  return path.subresource === 'status';
}

/** What a change of `status` makes of an object: nothing else is taken from it. */
export function withStatus(old: KubeObject, given: KubeObject): KubeObject {
  const { status: _gone, ...rest } = old;
  return isRecord(given['status']) ? { ...rest, status: given['status'] } : rest;
}
