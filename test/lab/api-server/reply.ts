import { type Access, type Authorizer, accessOf, isWatch } from './access.ts';
import { replyToChange, replyToPatchOfDocument } from './change.ts';
import type { ClusterState } from './cluster-state.ts';
import { type Fault, faultStatus } from './fault.ts';
import { failure, type Reply, type SentRequest } from './message.ts';
import { pageOf } from './pages.ts';
import { apiVersionOf, kindOf, objectPathOf, type ResourcePath } from './resource.ts';
import { isSelected } from './selectors.ts';
import { forbidden, notFound, status, unauthorized } from './status.ts';

export interface Situation {
  /** `undefined`: nobody that is known here. */
  readonly user: string | undefined;
  readonly fault: Fault | undefined;
  readonly state: ClusterState | undefined;
  readonly read: ((path: string) => unknown) | undefined;
  readonly write: ((path: string, document: unknown) => void) | undefined;
  readonly may: Authorizer | undefined;
}

/** What the API says to a request. */
export function replyTo(request: SentRequest, situation: Situation): Reply {
  const { user, fault, may, state } = situation;
  const { pathname, searchParams: query } = new URL(request.target, 'https://localhost');
  const access = accessOf(request.method, pathname, query);
  if (fault === 'silent') return { kind: 'silence' };
  if (fault === 'cut') return { kind: 'cut' };
  if (user === undefined) return failure(unauthorized());
  const faulty = fault === undefined ? undefined : faultStatus(fault, { user, access, query });
  if (faulty !== undefined) return { ...failure(faulty), ...(fault === '429' && { retryAfter: 1 }) };
  if (may?.(user, access) === false) return failure(forbidden(user, access));

  const { target } = access;
  const isLog = target?.subresource === 'log';
  const isStateful =
    state !== undefined && target !== undefined && !isLog && kindOf(target.resource) !== undefined;
  if (!isStateful) return replyFromDocuments(request, access, query, situation);
  if (access.verb === 'watch') return { kind: 'watch', collection: target, query };
  const answer =
    request.method === 'GET'
      ? read({ state, target, access, query })
      : replyToChange({ state, target, access, query, request });
  return answer.kind === 'text' ? deliver(answer, fault) : answer;
}

function read({
  state,
  target,
  access,
  query,
}: {
  readonly state: ClusterState;
  readonly target: ResourcePath;
  readonly access: Access;
  readonly query: URLSearchParams;
}): Reply {
  if (target.name !== undefined) {
    const object = state.get(objectPathOf(target));
    return object === undefined ? failure(notFound(access)) : { kind: 'text', text: JSON.stringify(object) };
  }
  const list = {
    kind: `${kindOf(target.resource)}List`,
    apiVersion: apiVersionOf(target),
    metadata: {},
    items: state.list(target).filter((object) => isSelected(object, query)),
  };
  return { kind: 'text', text: JSON.stringify(pageOf(list, query, String(state.version))) };
}

/** What tests put there as whole documents: no selector applies, and a patch is all that changes them. */
function replyFromDocuments(
  request: SentRequest,
  access: Access,
  query: URLSearchParams,
  { read: readDocument, write, fault }: Situation,
): Reply {
  const document = readDocument?.(access.path);
  if (document === undefined || isWatch(query)) return failure(notFound(access));
  if (request.method === 'PATCH') {
    const patched = replyToPatchOfDocument(document, request, (next) => write?.(access.path, next));
    return patched.kind === 'text' ? deliver(patched, fault) : patched;
  }
  if (request.method !== 'GET') return failure(status(405, 'MethodNotAllowed', 'the document is only read'));
  if (typeof document === 'string') return { kind: 'text', text: document };
  return deliver({ kind: 'text', text: JSON.stringify(pageOf(document, query, '1')) }, fault);
}

function deliver(reply: Extract<Reply, { kind: 'text' }>, fault: Fault | undefined): Reply {
  const { text } = reply;
  if (fault === 'not-json') return { kind: 'text', text: `<html>${text}</html>` };
  if (fault === 'stalls') return { kind: 'half', text, end: 'wait' };
  if (fault === 'cut-body') return { kind: 'half', text, end: 'cut' };
  return reply;
}
