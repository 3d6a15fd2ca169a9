/** What one question to the API came to. */
export type Answer = { readonly kind: 'ok'; readonly body: string } | Failure;

export interface Failure {
  readonly kind: 'failed';
  /** One line for a person, without any secret. */
  readonly reason: string;
  /** Whether other credentials may fare better: they may be accepted, or lead to another address. */
  readonly tryNext: boolean;
  /** The HTTP status, if there was an answer. */
  readonly status?: number;
  /** The server is busy, and asks to come again after this. */
  readonly retryAfterMs?: number;
  /** Without an answer: whether the server may have got the question all the same. */
  readonly mayHaveArrived?: boolean;
}

export interface Limits {
  /** Ends everything that is under way; it fires `timeoutMs` after the question was put. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** When it fires, on the clock of `performance.now()`. */
  readonly endsAt: number;
  /** Of all pages together. */
  readonly maxBytes: number;
  /** What earlier pages took of it. */
  readonly usedBytes?: number;
}
