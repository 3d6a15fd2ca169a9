import type { Config } from '../../config/config.ts';
import type { Fact } from '../../engine/fact.ts';
import type { ClusterNode } from '../../kube/nodes.ts';
import { clusterNodesFact } from '../cluster-nodes.ts';
import { type CoreDnsPod, coreDnsFact, isAlive } from './coredns.ts';

/** Where CoreDNS may run, by `checks.coredns-placement`, and where it does. */
export type Placement =
  | {
      readonly kind: 'known';
      /** `nodes` and `selector` are the operator's word; `server` is what holds without. */
      readonly policy: 'nodes' | 'selector' | 'server';
      /** Nodes that the policy names, whatever state they are in. */
      readonly allowed: readonly ClusterNode[];
      /** Pods that are neither ending nor over (evicted), with their node where the API knows it. */
      readonly pods: readonly {
        readonly pod: CoreDnsPod;
        readonly node: ClusterNode | undefined;
        /** True also of a pod that has no node yet: it is nowhere it may not be. */
        readonly isAllowed: boolean;
      }[];
    }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly forbidden: boolean };

export const placementFact: Fact<Placement> = {
  id: 'coredns-placement',
  async gather({ get, config }) {
    const [{ pods }, nodes] = await Promise.all([get(coreDnsFact), get(clusterNodesFact)]);
    if (pods.kind === 'unavailable') return pods;
    if (nodes.kind === 'unavailable') {
      return { kind: 'unavailable', reason: nodes.reason, forbidden: nodes.forbidden ?? false };
    }
    const { policy, allows } = readPolicy(config.checks['coredns-placement']);
    const allowed = nodes.nodes.filter(allows);
    // Servers without an agent are no nodes: then there is no better place than where it is.
    const isAnywhere = policy === 'server' && allowed.length === 0;
    const found = pods.kind === 'known' ? pods.value.filter(isAlive) : [];
    return {
      kind: 'known',
      policy,
      allowed,
      pods: found.map((pod) => ({
        pod,
        node: nodes.nodes.find(({ name }) => name === pod.node),
        isAllowed: isAnywhere || pod.node === undefined || allowed.some(({ name }) => name === pod.node),
      })),
    };
  },
};

interface Policy {
  readonly policy: 'nodes' | 'selector' | 'server';
  readonly allows: (node: ClusterNode) => boolean;
}

function readPolicy({ nodes, selector }: Config['checks']['coredns-placement']): Policy {
  if (nodes.length > 0) return { policy: 'nodes', allows: ({ name }) => nodes.includes(name) };
  const labels = Object.entries(selector);
  if (labels.length === 0) return { policy: 'server', allows: ({ controlPlane }) => controlPlane };
  return {
    policy: 'selector',
    allows: (node) => labels.every(([key, value]) => node.labels[key] === value),
  };
}
