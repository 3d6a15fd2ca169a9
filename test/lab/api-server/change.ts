import { parse } from 'yaml';
import type { Access } from './access.ts';
import { type ClusterState, isStatusOnly, withStatus } from './cluster-state.ts';
import { applyFields, updateFields } from './field-ownership.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { failure, type Reply, type SentRequest } from './message.ts';
import { isObject, isRecord, type KubeObject, objectPathOf, pathOf, type ResourcePath } from './resource.ts';
import { conflict, notFound, status } from './status.ts';

interface Change {
  readonly state: ClusterState;
  readonly target: ResourcePath;
  readonly access: Access;
  readonly query: URLSearchParams;
  readonly request: SentRequest;
}

/** POST, PUT, PATCH and DELETE of objects. */
export function replyToChange(change: Change): Reply {
  const { method, contentType } = change.request;
  if (method === 'DELETE') return replyToDelete(change);
  const body = bodyOf(change.request);
  if (body === undefined) return failure(status(400, 'BadRequest', 'the body is not JSON'));
  if (method === 'POST') return replyToCreate(change, body);
  if (method === 'PATCH' && contentType === 'application/apply-patch+yaml') return replyToApply(change, body);

  const old = change.state.get(objectPathOf(change.target));
  if (old === undefined) return failure(notFound(change.access));
  if (method === 'PUT') return store(change, old, body);
  switch (contentType) {
    case 'application/json-patch+json': {
      const result = applyJsonPatch(old, body);
      return result.kind === 'refused' ? failure(refusedPatch) : store(change, old, result.document);
    }
    case 'application/merge-patch+json':
      return store(change, old, applyMergePatch(old, body));
    default:
      return failure(unknownPatch(contentType));
  }
}

// The real one does not say which operation it was.
const refusedPatch = status(422, 'Invalid', 'the server rejected our request due to an error in our request');

function unknownPatch(contentType: string | undefined) {
  return status(415, 'UnsupportedMediaType', `unknown type of patch: ${contentType}`);
}

/** YAML is taken as well. */
function bodyOf({ body }: SentRequest): unknown {
  try {
    return parse(body);
  } catch {
    return undefined;
  }
}

function managerOf({ query, request }: Change): string {
  // Whoever names no manager is known by the first word of its agent.
  return query.get('fieldManager') ?? request.userAgent?.split('/')[0] ?? 'unknown';
}

function store(change: Change, old: KubeObject, next: unknown): Reply {
  if (!isObject(next)) return failure(status(422, 'Invalid', 'the object is not valid'));
  const { resourceVersion } = next.metadata;
  if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion) {
    return failure(conflict(change.access, modified));
  }
  if (pathOf(next) !== pathOf(old))
    return failure(status(422, 'Invalid', 'what names an object never changes'));
  const meant = isStatusOnly(change.target) ? withStatus(old, next) : next;
  return stored(change.state.put(updateFields(old, meant, managerOf(change))));
}

const modified =
  'the object has been modified; please apply your changes to the latest version and try again';

function stored(object: KubeObject, code = 200): Reply {
  return { kind: 'text', text: JSON.stringify(object), code };
}

function replyToCreate(change: Change, body: unknown): Reply {
  const { namespace } = change.target;
  if (!isObject(body)) return failure(status(400, 'BadRequest', 'the body is no object'));
  const object = {
    ...body,
    metadata: { ...body.metadata, ...(namespace !== undefined && { namespace }) },
  };
  if (change.state.get(pathOf(object)) !== undefined) {
    return failure(
      status(409, 'AlreadyExists', `${change.target.resource} "${object.metadata.name}" already exists`),
    );
  }
  return stored(change.state.put(updateFields(undefined, object, managerOf(change))), 201);
}

function replyToApply(change: Change, body: unknown): Reply {
  const { state, target, query } = change;
  const manager = query.get('fieldManager');
  if (manager === null || manager === '') {
    return failure(
      status(422, 'Invalid', 'metadata.fieldManager: Required value: is required for apply patch'),
    );
  }
  const path = objectPathOf(target);
  if (!isObject(body) || pathOf(namespaced(body, target)) !== path) {
    return failure(status(400, 'BadRequest', 'what is applied is not the object that the path names'));
  }
  if (body.metadata.managedFields !== undefined) {
    return failure(status(400, 'BadRequest', 'metadata.managedFields must be nil'));
  }
  const old = state.get(path);
  const { uid, resourceVersion } = body.metadata;
  if (
    (uid !== undefined && uid !== old?.metadata.uid) ||
    (resourceVersion !== undefined && resourceVersion !== old?.metadata.resourceVersion)
  ) {
    return failure(conflict(change.access, modified));
  }
  const applied = applyFields(old, namespaced(body, target), {
    manager,
    force: query.get('force') === 'true',
  });
  if (applied.kind === 'applied') return stored(state.put(applied.object), old === undefined ? 201 : 200);
  const { conflicts } = applied;
  const named = conflicts.map(
    ({ manager: owner, apiVersion, field }) => `conflict with "${owner}" using ${apiVersion}: ${field}`,
  );
  const count = conflicts.length === 1 ? '1 conflict' : `${conflicts.length} conflicts`;
  return failure(status(409, 'Conflict', `Apply failed with ${count}: ${named.join(', ')}`));
}

function namespaced(object: KubeObject, { namespace }: ResourcePath): KubeObject {
  return namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } };
}

function replyToDelete(change: Change): Reply {
  const { state, target, access, request } = change;
  const object = state.get(objectPathOf(target));
  if (object === undefined) return failure(notFound(access));
  const options = request.body === '' ? {} : bodyOf(request);
  if (!isRecord(options)) return failure(status(400, 'BadRequest', 'the body is no DeleteOptions'));
  const { preconditions } = options;
  const { uid, resourceVersion } = isRecord(preconditions) ? preconditions : {};
  const { metadata } = object;
  if (uid !== undefined && uid !== metadata.uid) {
    return failure(
      conflict(
        access,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`,
      ),
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    return failure(
      conflict(
        access,
        `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`,
      ),
    );
  }
  state.remove(objectPathOf(target));
  const details = { name: metadata.name, kind: target.resource, uid: metadata.uid };
  const done = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
  return { kind: 'text', text: JSON.stringify(done) };
}

/** A JSON patch of a document that is no object of the state. */
export function replyToPatchOfDocument(
  document: unknown,
  request: SentRequest,
  write: (document: unknown) => void,
): Reply {
  if (request.contentType !== 'application/json-patch+json')
    return failure(unknownPatch(request.contentType));
  const result = applyJsonPatch(document, JSON.parse(request.body));
  if (result.kind === 'refused') return failure(refusedPatch);
  const next = nextVersion(result.document);
  write(next);
  return { kind: 'text', text: JSON.stringify(next) };
}

function nextVersion(document: unknown): unknown {
  if (!isRecord(document) || !isRecord(document['metadata'])) return document;
  const { metadata } = document;
  if (metadata['resourceVersion'] === undefined) return document;
  return {
    ...document,
    metadata: { ...metadata, resourceVersion: `${Number(metadata['resourceVersion']) + 1}` },
  };
}
