import type { ServerResponse } from 'node:http';
import { type ClusterState, isIn, type StateEvent } from './cluster-state.ts';
import { apiVersionOf, kindOf, pathOf, type ResourcePath } from './resource.ts';
import { isSelected } from './selectors.ts';

/**
 * A stream of what happens in a collection, for as long as whoever asks for it stays: first what happened
 * after `resourceVersion` (without one: what is there), then each change.
 */
export function serveWatch(
  response: ServerResponse,
  {
    state,
    collection,
    query,
  }: { readonly state: ClusterState; readonly collection: ResourcePath; readonly query: URLSearchParams },
): void {
  response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
  // The headers alone tell the client that it is watching.
  response.flushHeaders();
  const send = (type: string, object: unknown) => response.write(`${JSON.stringify({ type, object })}\n`);
  const pass = ({ type, object }: StateEvent) => {
    if (isIn(collection, pathOf(object), object) && isSelected(object, query)) send(type, object);
  };

  const since = query.get('resourceVersion') ?? '';
  const wantsAll = query.get('sendInitialEvents') === 'true';
  if (wantsAll || since === '' || since === '0') {
    for (const object of state.list(collection)) if (isSelected(object, query)) send('ADDED', object);
    if (wantsAll) send('BOOKMARK', bookmark(collection, state.version));
  } else {
    for (const event of state.events) if (event.version > Number(since)) pass(event);
  }
  const unsubscribe = state.subscribe(pass);
  response.once('close', unsubscribe);
  const seconds = Number(query.get('timeoutSeconds') ?? 0);
  if (seconds <= 0) return;
  const timer = setTimeout(() => response.end(), seconds * 1000);
  response.once('close', () => clearTimeout(timer));
}

/** Says that all that was there has been sent. */
function bookmark(collection: ResourcePath, version: number): object {
  return {
    kind: kindOf(collection.resource) ?? '',
    apiVersion: apiVersionOf(collection),
    metadata: { resourceVersion: String(version), annotations: { 'k8s.io/initial-events-end': 'true' } },
  };
}
