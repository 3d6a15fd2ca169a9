import { applyJsonPatch } from './json-patch.ts';
import { pageOf } from './pages.ts';
import { type Access, forbidden, notFound, type Status, status, unauthorized } from './status.ts';

export const faults = [
  '500',
  '503',
  'silent',
  'stalls',
  'cut',
  'cut-body',
  'not-json',
  'expired-continue',
  'always-conflict',
] as const;

/**
 * `silent` never answers, `stalls` stops in mid-answer, `cut` closes without an answer and `cut-body`
 * in the middle of one; `expired-continue` answers 410 to every page but the first, `always-conflict`
 * 409 to every patch.
 */
export type Fault = (typeof faults)[number];

export type Reply =
  | { readonly kind: 'failure'; readonly status: Status }
  | { readonly kind: 'text'; readonly text: string }
  /** Half of the text, and then nothing more. */
  | { readonly kind: 'half'; readonly text: string; readonly end: 'cut' | 'wait' }
  | { readonly kind: 'cut' }
  | { readonly kind: 'silence' };

export interface Situation {
  /** `undefined`: nobody that is known here. */
  readonly user: string | undefined;
  readonly fault: Fault | undefined;
  readonly read: (path: string) => unknown;
  readonly write: ((path: string, document: unknown) => void) | undefined;
  readonly mayRead: ((user: string, path: string) => boolean) | undefined;
  readonly mayPatch: ((user: string, path: string) => boolean) | undefined;
}

export interface SentPatch {
  readonly contentType: string | undefined;
  readonly text: string;
}

/** What the API says to a GET, or a PATCH, `target` being its path and query. */
export function replyTo(target: string, patch: SentPatch | undefined, situation: Situation): Reply {
  const { user, fault } = situation;
  const { pathname, searchParams } = new URL(target, 'https://localhost');
  if (fault === 'silent') return { kind: 'silence' };
  if (fault === 'cut') return { kind: 'cut' };
  if (fault === '500') return failure(status(500, 'InternalError', 'etcdserver: request timed out'));
  if (fault === '503') return failure(status(503, 'ServiceUnavailable', 'the server is starting'));
  if (user === undefined) return failure(unauthorized());
  const verb: Access = patch === undefined ? 'list' : 'patch';
  const isAllowed = patch === undefined ? situation.mayRead : situation.mayPatch;
  if (isAllowed?.(user, pathname) === false) return failure(forbidden(user, pathname, verb));
  if (fault === 'expired-continue' && searchParams.has('continue')) {
    return failure(status(410, 'Expired', 'The provided continue parameter is too old'));
  }
  const document = situation.read(pathname);
  if (document === undefined) return failure(notFound(pathname));
  if (patch !== undefined) return replyToPatch({ path: pathname, document, patch }, situation);
  if (typeof document === 'string') return { kind: 'text', text: document };
  return deliver(JSON.stringify(pageOf(document, searchParams)), fault);
}

function replyToPatch(
  { path, document, patch }: { readonly path: string; readonly document: unknown; readonly patch: SentPatch },
  { fault, write }: Situation,
): Reply {
  if (fault === 'always-conflict') {
    return failure(status(409, 'Conflict', `Operation cannot be fulfilled on ${path}: it has been modified`));
  }
  if (patch.contentType !== 'application/json-patch+json') {
    return failure(status(415, 'UnsupportedMediaType', `unknown type of patch: ${patch.contentType}`));
  }
  const result = applyJsonPatch(document, JSON.parse(patch.text));
  // The real one does not say which operation it was.
  if (result.kind === 'refused') {
    const message = 'the server rejected our request due to an error in our request';
    return failure(status(422, 'Invalid', message));
  }
  const next = nextVersion(result.document);
  write?.(path, next);
  return deliver(JSON.stringify(next), fault);
}

function nextVersion(document: unknown): unknown {
  if (typeof document !== 'object' || document === null || !('metadata' in document)) return document;
  const { metadata } = document;
  if (typeof metadata !== 'object' || metadata === null || !('resourceVersion' in metadata)) return document;
  return {
    ...document,
    metadata: { ...metadata, resourceVersion: `${Number(metadata.resourceVersion) + 1}` },
  };
}

function deliver(text: string, fault: Fault | undefined): Reply {
  if (fault === 'not-json') return { kind: 'text', text: `<html>${text}</html>` };
  if (fault === 'stalls') return { kind: 'half', text, end: 'wait' };
  if (fault === 'cut-body') return { kind: 'half', text, end: 'cut' };
  return { kind: 'text', text };
}

function failure(status: Status): Reply {
  return { kind: 'failure', status };
}
