/** A failure as the API server words it (meta/v1 Status). */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly status: 'Failure';
  readonly reason: string;
  readonly message: string;
  readonly code: number;
}

export function status(code: number, reason: string, message: string): Status {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code };
}

export function unauthorized(): Status {
  return status(401, 'Unauthorized', 'Unauthorized');
}

export type Access = 'list' | 'patch';

export function forbidden(user: string, path: string, verb: Access): Status {
  const match = /^\/(?:api|apis\/([^/]+))\/[^/]+\/(?:namespaces\/[^/]+\/)?([^/]+)/.exec(path);
  const group = match?.[1] ?? '';
  const resource = match?.[2] ?? path;
  const named = group === '' ? resource : `${resource}.${group}`;
  const wanted = `cannot ${verb} resource "${resource}" in API group "${group}" at the cluster scope`;
  return status(403, 'Forbidden', `${named} is forbidden: User "${user}" ${wanted}`);
}

export function notFound(path: string): Status {
  return status(404, 'NotFound', `the server could not find the requested resource ${path}`);
}
