export type Severity = 'error' | 'warning' | 'info';

/** One problem on the node. */
export interface Finding {
  /** Stable: once released, a code never changes its meaning. */
  readonly code: string;
  readonly severity: Severity;
  /** One line: what is wrong and what it hurts. */
  readonly message: string;
  /** What the problem does to traffic now, in a few words. */
  readonly effect: string;
  readonly evidence: readonly Evidence[];
  /** Whether this run's plan would repair it; if not, why not. */
  readonly remedy: { readonly kind: 'planned' } | { readonly kind: 'none'; readonly reason: string };
}

export interface Evidence {
  /** Where it was seen, e.g. `iptables-legacy nat`. */
  readonly source: string;
  readonly observed: string;
  readonly expected?: string;
}
