export type Severity = 'error' | 'warning' | 'info';

/** One problem on the node. */
export interface Finding {
  /** Stable: once released, a code never changes its meaning. */
  readonly code: string;
  /** What it is about, the same words in every run that finds it, e.g. `legacy ipv4 nat 10.43.0.80:80/tcp`. */
  readonly subject: string;
  readonly severity: Severity;
  /** One line: what is wrong and what it hurts. */
  readonly message: string;
  /** What the problem does to traffic now, in a few words. */
  readonly effect: Effect;
  /** The connections that it hurts, where it is about traffic. */
  readonly traffic?: Traffic;
  readonly evidence: readonly Evidence[];
  /** Signs of life in what is called dead: a timer keeps its hands off when they grow. */
  readonly activity?: Activity;
  /**
   * Whether a fix repairs it; if not, why not. `held`: it could be, but not by this run (a guard or
   * the configuration forbids it).
   */
  readonly remedy: { readonly kind: 'planned' } | { readonly kind: 'none' | 'held'; readonly reason: string };
}

export interface Activity {
  /** Counted by the rules in question since they were made. */
  readonly packets: number;
  /** Whether the kernel knows connections through them that are answered. */
  readonly answered: boolean;
}

/** The same in every run that finds the same problem. */
export function findingKey(checkId: string, { code, subject }: Pick<Finding, 'code' | 'subject'>): string {
  return `${checkId} ${code} ${subject}`;
}

export interface Evidence {
  /** Where it was seen, e.g. `iptables-legacy nat`. */
  readonly source: string;
  readonly observed: string;
  readonly expected?: string;
}

/**
 * `masks`: takes traffic away from a live rule now. `may-mask`: does so or not, depending on an order
 * that could not be read. `captures`: takes traffic that no live rule claims. `rejects`: refuses or
 * drops it. `dormant`: loses against a live rule now; a reboot may turn that round. `idle`: carries
 * no traffic that matters. `loses`: it is sent, and lost on the way. `exposes`: lets in whom it should not.
 */
export type Effect = 'masks' | 'may-mask' | 'captures' | 'rejects' | 'loses' | 'exposes' | 'dormant' | 'idle';

export interface Traffic {
  readonly protocol: string;
  /** Null: any address of this node. */
  readonly address: string | null;
  readonly port: number;
  /** `namespace/name:port`, null when it is no Service. */
  readonly service: string | null;
  readonly sentTo: readonly Target[];
  /** Where live rules send the same traffic; empty when none claims it. */
  readonly live: readonly LiveTarget[];
}

export interface Target {
  readonly address: string;
  readonly port: number;
  /** `unknown`: neither the API nor live rules could say. */
  readonly state: 'live' | 'not-ready' | 'dead' | 'unknown';
}

export interface LiveTarget {
  readonly address: string;
  readonly port: number;
  readonly backend: string;
}
