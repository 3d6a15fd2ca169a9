import type { NodeFacts } from '../../facts/cluster-nodes.ts';
import { hostLabel, onHosts } from './node-affinity.ts';
import type { Seen } from './seen.ts';

/** What a Deployment is given so that its pods run on the allowed nodes and on no other. */
export interface Pin {
  /** Put to the nodeSelector. */
  readonly labels: Readonly<Record<string, string>>;
  /** Where labels cannot say it: one of several nodes. */
  readonly affinity: object | undefined;
  /** `node a`, `nodes with LABEL=VALUE`. */
  readonly words: string;
}

export type FoundPin =
  | { readonly kind: 'pin'; readonly pin: Pin }
  | { readonly kind: 'none'; readonly reason: string };

export function pinOf({ placement, settings }: Pick<Seen, 'placement' | 'settings'>): FoundPin {
  const { policy, allowed } = placement;
  if (policy === 'selector') return byLabels(settings.selector);
  if (allowed.length === 0) {
    const reason =
      policy === 'nodes'
        ? `no node of this cluster is called ${settings.nodes.join(' or ')} (checks.coredns-placement.nodes)`
        : 'no server is a node of this cluster: say where it may run in checks.coredns-placement.nodes';
    return { kind: 'none', reason };
  }
  return policy === 'nodes' ? toHosts(allowed) : toServers(allowed);
}

function byLabels(labels: Readonly<Record<string, string>>): FoundPin {
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return { kind: 'pin', pin: { labels, affinity: undefined, words: `nodes with ${words.join(', ')}` } };
}

/** The label is not always the name. */
function toHosts(allowed: readonly NodeFacts[]): FoundPin {
  const bare = allowed.find(({ labels }) => !labels[hostLabel]);
  if (bare) return { kind: 'none', reason: `node ${bare.name} has no label ${hostLabel}` };
  const names = allowed.flatMap(({ labels }) => labels[hostLabel] ?? []);
  const [only] = names;
  if (only !== undefined && names.length === 1) {
    return {
      kind: 'pin',
      pin: { labels: { [hostLabel]: only }, affinity: undefined, words: `node ${only}` },
    };
  }
  return {
    kind: 'pin',
    pin: { labels: {}, affinity: onHosts(names), words: `nodes ${names.join(', ')}` },
  };
}

/** k3s writes `true`, others nothing: what counts is what stands there. */
function toServers(allowed: readonly NodeFacts[]): FoundPin {
  for (const key of ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master']) {
    const [value, ...others] = new Set(allowed.map(({ labels }) => labels[key]));
    if (value !== undefined && others.length === 0) return byLabels({ [key]: value });
  }
  const reason =
    'the servers have no label in common: say where it may run in checks.coredns-placement.nodes';
  return { kind: 'none', reason };
}
