import { pageOf } from './pages.ts';
import { forbidden, notFound, type Status, status, unauthorized } from './status.ts';

export const faults = [
  '500',
  '503',
  'silent',
  'stalls',
  'cut',
  'cut-body',
  'not-json',
  'expired-continue',
] as const;

/**
 * `silent` never answers, `stalls` stops in mid-answer, `cut` closes without an answer and `cut-body`
 * in the middle of one; `expired-continue` answers 410 to every page but the first.
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
  readonly mayRead: ((user: string, path: string) => boolean) | undefined;
}

/** What the API says to a GET, `target` being its path and query. */
export function replyTo(target: string, { user, fault, read, mayRead }: Situation): Reply {
  const { pathname, searchParams } = new URL(target, 'https://localhost');
  if (fault === 'silent') return { kind: 'silence' };
  if (fault === 'cut') return { kind: 'cut' };
  if (fault === '500') return failure(status(500, 'InternalError', 'etcdserver: request timed out'));
  if (fault === '503') return failure(status(503, 'ServiceUnavailable', 'the server is starting'));
  if (user === undefined) return failure(unauthorized());
  if (mayRead?.(user, pathname) === false) return failure(forbidden(user, pathname));
  if (fault === 'expired-continue' && searchParams.has('continue')) {
    return failure(status(410, 'Expired', 'The provided continue parameter is too old'));
  }
  const document = read(pathname);
  if (document === undefined) return failure(notFound(pathname));
  if (typeof document === 'string') return { kind: 'text', text: document };

  const text = JSON.stringify(pageOf(document, searchParams));
  if (fault === 'not-json') return { kind: 'text', text: `<html>${text}</html>` };
  if (fault === 'stalls') return { kind: 'half', text, end: 'wait' };
  if (fault === 'cut-body') return { kind: 'half', text, end: 'cut' };
  return { kind: 'text', text };
}

function failure(status: Status): Reply {
  return { kind: 'failure', status };
}
