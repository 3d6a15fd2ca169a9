import type { Access } from './access.ts';

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

export function forbidden(user: string, { verb, path, target }: Access): Status {
  if (target === undefined) {
    return status(403, 'Forbidden', `forbidden: User "${user}" cannot ${verb} path "${path}"`);
  }
  const { group, resource, namespace, name } = target;
  const object = name === undefined ? resourceOf(target) : `${resourceOf(target)} "${name}"`;
  const place = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const wanted = `cannot ${verb} resource "${resource}" in API group "${group}" ${place}`;
  return status(403, 'Forbidden', `${object} is forbidden: User "${user}" ${wanted}`);
}

export function notFound({ path, target }: Access): Status {
  if (target?.name === undefined) {
    return status(404, 'NotFound', `the server could not find the requested resource ${path}`);
  }
  return status(404, 'NotFound', `${resourceOf(target)} "${target.name}" not found`);
}

/** `reason` as the real one words it, after what it could not do. */
export function conflict({ path, target }: Access, reason: string): Status {
  const object = target === undefined ? path : `${resourceOf(target)} "${target.name}"`;
  return status(409, 'Conflict', `Operation cannot be fulfilled on ${object}: ${reason}`);
}

function resourceOf({ group, resource }: { readonly group: string; readonly resource: string }): string {
  return group === '' ? resource : `${resource}.${group}`;
}
