import type { Access, Verb } from './access.ts';
import { conflict, forbidden, type Status, status, unauthorized } from './status.ts';

export const faults = [
  '401',
  '403',
  '410',
  '429',
  '500',
  '503',
  'silent',
  'slow',
  'stalls',
  'cut',
  'cut-body',
  'not-json',
  'expired-continue',
  'always-conflict',
] as const;

/**
 * `silent` never answers, `slow` after a second, `stalls` stops in mid-answer, `cut` closes without an
 * answer and `cut-body` in the middle of one; `expired-continue` answers 410 to every page but the first,
 * `always-conflict` 409 to every change. `429` asks to come again in a second.
 */
export type Fault = (typeof faults)[number];

/** To which requests a fault happens; default to all. */
export interface FaultScope {
  readonly verbs?: readonly Verb[];
  /** Those whose path holds this. */
  readonly path?: string;
  /** And not to any after so many. */
  readonly times?: number;
}

/** What the API says in place of its answer. `undefined`: the fault is of another kind. */
export function faultStatus(
  fault: Fault,
  {
    user,
    access,
    query,
  }: { readonly user: string; readonly access: Access; readonly query: URLSearchParams },
): Status | undefined {
  switch (fault) {
    case '401':
      return unauthorized();
    case '403':
      return forbidden(user, access);
    case '410':
      return status(410, 'Expired', 'The provided resource version is too old');
    case '429':
      return status(429, 'TooManyRequests', 'Too many requests, please try again later.');
    case '500':
      return status(500, 'InternalError', 'etcdserver: request timed out');
    case '503':
      return status(503, 'ServiceUnavailable', 'the server is starting');
    case 'expired-continue':
      if (!query.has('continue')) return undefined;
      return status(410, 'Expired', 'The provided continue parameter is too old');
    case 'always-conflict':
      return ['get', 'list', 'watch'].includes(access.verb)
        ? undefined
        : conflict(access, 'it has been modified');
    default:
      return undefined;
  }
}
