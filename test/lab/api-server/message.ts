import type { ResourcePath } from './resource.ts';
import type { Status } from './status.ts';

export interface SentRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly contentType: string | undefined;
  readonly userAgent: string | undefined;
  readonly body: string;
}

export type Reply =
  | { readonly kind: 'failure'; readonly status: Status; readonly retryAfter?: number }
  | { readonly kind: 'text'; readonly text: string; readonly code?: number }
  /** Half of the text, and then nothing more. */
  | { readonly kind: 'half'; readonly text: string; readonly end: 'cut' | 'wait' }
  | { readonly kind: 'watch'; readonly collection: ResourcePath; readonly query: URLSearchParams }
  | { readonly kind: 'cut' }
  | { readonly kind: 'silence' };

export function failure(reason: Status): Extract<Reply, { kind: 'failure' }> {
  return { kind: 'failure', status: reason };
}
