/** What a path of the API names: `/apis/GROUP/VERSION/namespaces/NS/RESOURCE/NAME/SUBRESOURCE`, or parts of it. */
export interface ResourcePath {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly managedFields?: readonly ManagedFields[];
  readonly [field: string]: unknown;
}

export interface ManagedFields {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly fieldsType: 'FieldsV1';
  readonly fieldsV1: unknown;
}

/** `undefined`: not a path of a resource, such as `/readyz`. */
export function parseResourcePath(path: string): ResourcePath | undefined {
  const pattern =
    /^\/(?:api|apis\/(?<group>[^/]+))\/(?<version>[^/]+)(?:\/namespaces\/(?<namespace>[^/]+)(?=\/[^/]))?\/(?<resource>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<subresource>[^/]+))?$/;
  const { group = '', version, resource, namespace, name, subresource } = pattern.exec(path)?.groups ?? {};
  if (version === undefined || resource === undefined) return undefined;
  // `/api/v1/namespaces/kube-system` is the namespace itself, and `/namespaces/NAME/status` no resource in one.
  const isNamespace = namespace !== undefined && (resource === 'status' || resource === 'finalize');
  if (isNamespace) {
    const names = { resource: 'namespaces', namespace: undefined, name: namespace };
    return { group, version, ...names, subresource: resource };
  }
  return { group, version, resource, namespace, name, subresource };
}

/** Of what the lists of this server hold, by resource; other kinds are guessed from their name. */
const kinds: Readonly<Record<string, string>> = {
  namespaces: 'Namespace',
  nodes: 'Node',
  pods: 'Pod',
  services: 'Service',
  endpoints: 'Endpoints',
  configmaps: 'ConfigMap',
  secrets: 'Secret',
  events: 'Event',
  deployments: 'Deployment',
  replicasets: 'ReplicaSet',
  daemonsets: 'DaemonSet',
  endpointslices: 'EndpointSlice',
  poddisruptionbudgets: 'PodDisruptionBudget',
  addons: 'Addon',
};

const resources = new Map(Object.entries(kinds).map(([resource, kind]) => [kind, resource]));

/** `undefined`: this server knows no such resource. */
export function kindOf(resource: string): string | undefined {
  return kinds[resource];
}

/** Where an object lies. */
export function pathOf({ apiVersion, kind, metadata }: KubeObject): string {
  const resource = resources.get(kind) ?? `${kind.toLowerCase()}s`;
  return objectPath(apiVersion, resource, metadata.namespace, metadata.name);
}

function objectPath(
  apiVersion: string,
  resource: string,
  namespace: string | undefined,
  name: string,
): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = namespace === undefined ? '' : `/namespaces/${namespace}`;
  return `${root}${place}/${resource}/${name}`;
}

/** Where the object lies that a path names, without what is asked of it there. */
export function objectPathOf({ resource, namespace, name, ...path }: ResourcePath): string {
  return objectPath(apiVersionOf(path), resource, namespace, name ?? '');
}

export function apiVersionOf({ group, version }: Pick<ResourcePath, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws when it is none: what a test puts into a cluster has to be an object. */
export function toObject(value: unknown): KubeObject {
  if (!isObject(value)) throw new Error(`no object of Kubernetes: ${JSON.stringify(value)?.slice(0, 200)}`);
  return value;
}

export function isObject(value: unknown): value is KubeObject {
  return (
    isRecord(value) &&
    typeof value['apiVersion'] === 'string' &&
    typeof value['kind'] === 'string' &&
    isRecord(value['metadata']) &&
    typeof value['metadata']['name'] === 'string'
  );
}

/** Every object of a document: itself, or the items of a list, which may leave out what they are. */
export function objectsOf(document: unknown): readonly KubeObject[] {
  if (!isRecord(document) || !Array.isArray(document['items'])) return [toObject(document)];
  const { kind, apiVersion, items } = document;
  const itemKind = typeof kind === 'string' ? kind.replace(/List$/, '') : '';
  return items.map((item: unknown) =>
    toObject(isRecord(item) ? { apiVersion, kind: itemKind, ...item } : item),
  );
}
