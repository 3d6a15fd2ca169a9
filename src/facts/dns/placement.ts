import type { Fact } from '../../engine/fact.ts';
import type { ClusterNode } from '../../kube/nodes.ts';
import type { CoreDnsPod } from './coredns.ts';

/** Where CoreDNS may run, by `checks.coredns-placement`, and where it does. */
export type Placement =
  | {
      readonly kind: 'known';
      /** `nodes` and `selector` are the operator's word; `server` is what holds without. */
      readonly policy: 'nodes' | 'selector' | 'server';
      /** Nodes that the policy names, whatever state they are in. */
      readonly allowed: readonly ClusterNode[];
      /** Pods that are not ending, with their node where the API knows it. */
      readonly pods: readonly {
        readonly pod: CoreDnsPod;
        readonly node: ClusterNode | undefined;
        readonly isAllowed: boolean;
      }[];
    }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly forbidden: boolean };

export const placementFact: Fact<Placement> = {
  id: 'coredns-placement',
  async gather() {
    throw new Error('not built yet');
  },
};
