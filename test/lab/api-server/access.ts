import { parseResourcePath, type ResourcePath } from './resource.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

/** What somebody wants to do, as the API server asks its authorizers. */
export interface Access {
  readonly verb: Verb;
  readonly path: string;
  /** `undefined`: no resource, such as `/readyz`. */
  readonly target: ResourcePath | undefined;
}

export type Authorizer = (user: string, access: Access) => boolean;

export function accessOf(method: string, path: string, query: URLSearchParams): Access {
  const target = parseResourcePath(path);
  return { verb: verbOf(method, target, query), path, target };
}

function verbOf(method: string, target: ResourcePath | undefined, query: URLSearchParams): Verb {
  switch (method) {
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return 'delete';
    default:
      if (target === undefined || target.name !== undefined) return 'get';
      return isWatch(query) ? 'watch' : 'list';
  }
}

export function isWatch(query: URLSearchParams): boolean {
  return ['true', '1'].includes(query.get('watch') ?? '');
}

interface Right {
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly Verb[];
}

const reading = ['get', 'list', 'watch'] as const;

/** Every node has kubeconfigs for these users; what is not here, they may not do. */
const rightsOfNodes: readonly (readonly [user: RegExp, rights: readonly Right[]])[] = [
  [
    /^system:kube-proxy$/,
    [
      { group: '', resources: ['services', 'endpoints', 'nodes'], verbs: reading },
      { group: 'discovery.k8s.io', resources: ['endpointslices'], verbs: reading },
    ],
  ],
  [/^system:node:/, [{ group: '', resources: ['services', 'nodes'], verbs: reading }]],
];

/** The rights that kube-proxy and kubelet have with k3s, kubelet's own pods left out. Others may do everything. */
export const nodeAuthorizer: Authorizer = (user, { verb, target }) => {
  const rights = rightsOfNodes.find(([pattern]) => pattern.test(user))?.[1];
  if (rights === undefined || target === undefined) return true;
  return rights.some(
    ({ group, resources, verbs }) =>
      group === target.group && resources.includes(target.resource) && verbs.includes(verb),
  );
};
