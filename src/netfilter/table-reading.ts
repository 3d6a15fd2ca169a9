import type { ChainOwner, ServiceChainKind } from './chain-owner.ts';
import type { Endpoint } from './service-port.ts';

/** What one pass over a table tells of the chains that Kubernetes and its CNI keep in it. */
export interface TableReading {
  readonly owned: ReadonlyMap<string, OwnedChain>;
  /** Rules in built-in chains that lead to an owned chain and are known to be written by its owner. */
  readonly jumps: readonly LocatedRule[];
  /** Rules in built-in chains that an owner leaves behind and that name no owned chain. */
  readonly residue: readonly LocatedRule[];
  /** portmap's rules that lead to a sandbox's chain. */
  readonly hostPorts: readonly HostPortRule[];
  /** Rules that stand in the way of a removal, and why. */
  readonly obstacles: readonly Obstacle[];
  /** Rules of kube-proxy that send an address and port to a Service's chain. */
  readonly services: readonly ServiceRule[];
  /** Rules in sandboxes' chains that send a host port to the pod. */
  readonly podPorts: readonly PodPortRule[];
  /** Rules of kube-proxy that reject or drop what is sent to a Service. */
  readonly refusals: readonly RefusalRule[];
}

export interface OwnedChain {
  readonly name: string;
  readonly owner: ChainOwner;
  readonly kind: ServiceChainKind | undefined;
  /**
   * `recomputed`: its name follows from what its rules say. `contradicted`: it does not.
   * `by-shape`: nothing to compute it from; every rule in it is of the owner's shape.
   */
  readonly proof: 'recomputed' | 'contradicted' | 'by-shape';
  /** Where a KUBE-SEP chain sends to. */
  readonly endpoint: Endpoint | undefined;
  /** Counted by a KUBE-SEP chain's DNAT rules: connections that were sent there. */
  readonly packets: number;
  /** Chains of Services and endpoints that the rules of a Service's chain lead to, in order. */
  readonly next: readonly string[];
  /** Of its rules, in order, counters aside: changes when somebody writes to it. */
  readonly fingerprint: number;
}

export interface LocatedRule {
  readonly chain: string;
  /** As printed, without counters: `-A CHAIN ...`. */
  readonly line: string;
}

export interface HostPortRule extends LocatedRule {
  readonly target: string;
  readonly network: string;
  readonly sandboxId: string;
}

export interface Obstacle extends LocatedRule {
  readonly reason: 'foreign-reference' | 'foreign-rule-inside' | 'unreadable-rule';
  /** The owned chain that cannot be removed because of it. */
  readonly owned: string;
}

/** What a rule matches; `address` is undefined for any address of the node. */
export interface Asked {
  readonly protocol: string;
  readonly address: string | undefined;
  readonly port: number;
}

export interface ServiceRule extends Asked {
  readonly chain: string;
  /** `namespace/name:port`. */
  readonly servicePort: string | undefined;
}

export interface PodPortRule extends Asked {
  readonly chain: string;
  readonly endpoint: Endpoint;
  /** Counted by the rule: connections that were sent there. */
  readonly packets: number;
}

export interface RefusalRule extends Asked {
  readonly chain: string;
  readonly servicePort: string | undefined;
  readonly target: 'REJECT' | 'DROP';
  readonly comment: string;
}
