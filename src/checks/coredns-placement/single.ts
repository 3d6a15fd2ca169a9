import { count } from '../../engine/count.ts';
import type { Finding } from '../../engine/finding.ts';
import type { Seen } from './seen.ts';

/** All of it on one node, while there are others. */
export function judgeSingle({ placement, nodes, coreDns: { deployment } }: Seen): readonly Finding[] {
  const ready = nodes.nodes.filter((node) => node.ready).length;
  const placed = placement.pods.flatMap(({ pod }) => pod.node ?? []);
  const [only, ...others] = new Set(placed);
  if (ready < 2 || only === undefined || others.length > 0) return [];
  const replicas = deployment.kind === 'known' ? deployment.value.replicas : placed.length;
  return [
    {
      code: 'coredns-single',
      subject: 'CoreDNS',
      severity: 'warning',
      message: `all of CoreDNS (${count(replicas, 'replica')}) is on node ${only}: while that is down or drained no pod of the cluster resolves a name`,
      effect: 'dormant',
      evidence: [
        {
          source: 'pods of CoreDNS',
          observed: 'on one node',
          expected: `two of ${count(ready, 'ready node')}`,
        },
      ],
      remedy: { kind: 'none', reason: byHand(placement.allowed.length, replicas) },
    },
  ];
}

function byHand(allowed: number, replicas: number): string {
  const scale = '"kubectl -n kube-system scale deployment coredns --replicas=2"';
  if (allowed === 1) {
    return `only one node may run it by policy: name a second one that every node reaches in checks.coredns-placement.nodes, then ${scale}`;
  }
  return replicas > 1 ? 'see where the other replicas are: "kubectl -n kube-system get pods -o wide"' : scale;
}
