/** guards/: what keeps an unattended run from acting too early, too often, or at all. Pure, but for `state-file.ts`. */

/**
 * What is remembered between runs, in `<state>/state.json`. Times are ISO 8601, UTC.
 * A file that cannot be read counts as "nothing seen yet", which holds everything back.
 */
export interface State {
  readonly schemaVersion: 1;
  readonly paused?: Pause;
  /** By `findingKey`. */
  readonly findings: Readonly<Record<string, FindingState>>;
  readonly breaker: Breaker;
  /** The last run that is counted in all this: one that is closed twice is counted once. */
  readonly lastRun?: string;
}

export interface Pause {
  readonly reason: string;
  readonly by: string;
  readonly at: string;
  /** Undefined: until `doctor resume`. */
  readonly until?: string;
}

export interface Breaker {
  /** Failed runs since the last good one. */
  readonly failures: number;
  /** Nothing is repaired before. */
  readonly openUntil?: string;
}

export interface FindingState {
  /** How many unattended runs in a row have seen it. */
  readonly seen: number;
  readonly lastSeenAt: string;
  /** Of its activity, when last seen. */
  readonly packets?: number;
  readonly lastAttemptAt?: string;
  readonly failedAttempts: number;
  /** How often in a row its repair was good, and had to be done again within the hour. */
  readonly repeats?: number;
  /** Digest of the plan that failed or was undone; another plan starts afresh. */
  readonly plan?: string;
  /** A person took the repair back by this run: not repeated unattended. */
  readonly undoneBy?: string;
}
