import type { Removal } from '../netfilter/removal.ts';
import type { Backend, Family } from '../netfilter/ruleset.ts';

/**
 * One change, as data: it can be shown, journalled and taken back by another process.
 * How each kind is described, applied, verified and reverted is in `steps/`.
 */
export type Step = IptablesRemovalStep | ConntrackDeleteStep;

export interface IptablesRemovalStep {
  readonly kind: 'iptables-removal';
  readonly backend: Backend;
  readonly family: Family;
  readonly removal: Removal;
  /** Of the chains to be removed, as they were when the plan was made. If it differs, nothing is done. */
  readonly digest: string;
  /** True where kube-proxy or the CNI may be writing to the same table meanwhile. */
  readonly ownersWrite: boolean;
}

/** Deletes the connections that a removed rule sent to a dead target, and no others. */
export interface ConntrackDeleteStep {
  readonly kind: 'conntrack-delete';
  readonly family: Family;
  readonly flows: readonly DeadFlow[];
}

export interface DeadFlow {
  readonly protocol: string;
  /** What the client connected to; undefined: any address. */
  readonly address: string | undefined;
  readonly port: number;
  /** Where the removed rule sent it. */
  readonly target: string;
  readonly targetPort: number;
}
