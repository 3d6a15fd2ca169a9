import { type LabNode, startNode } from '../node/start-node.ts';
import type { Backend } from '../node/ruleset-text.ts';
import { kubeProxyRules, type Service } from './kube-proxy-rules.ts';
import { configure } from './run-doctor.ts';

export interface Haunting {
  /** The backend that kube-proxy does not write to any more; default `legacy`. */
  readonly ghosts?: Backend;
  /** Whose nat table is registered last, and therefore wins; default `ghosts`. */
  readonly winner?: 'ghosts' | 'live';
  /** More Services, as the ghosts have them, and as the live backend does. */
  readonly more?: readonly Service[];
  readonly moreLive?: readonly Service[];
}

/** Service `default/web:http` with two pods that answer, and an earlier era of it with one that is gone. */
export const web = { name: 'default/web:http', address: '10.43.0.80', port: 80 } as const;
export const webLive: Service = { ...web, endpoints: ['10.42.0.9:8080', '10.42.0.10:8080'] };
export const webGhost: Service = { ...web, endpoints: ['10.42.0.5:8080'] };

/**
 * A node on which kube-proxy has changed from one backend to the other: its rules of before, with
 * a dead endpoint, are still there.
 */
export async function startHauntedNode(haunting: Haunting = {}) {
  const { ghosts = 'legacy', winner = 'ghosts', more = [], moreLive = [] } = haunting;
  const node = await startNode();
  const [first, second, client] = await Promise.all([
    node.addPod({ name: 'web-1', address: '10.42.0.9', address6: 'fd00:42::9', tcp: [8080], udp: [5353] }),
    node.addPod({ name: 'web-2', address: '10.42.0.10', address6: 'fd00:42::10', tcp: [8080], udp: [5353] }),
    node.addClient(),
  ]);
  const crictl = await node.fakeCrictl([first, second]);
  await configure(node, { commands: { crictl } });
  const eras = [
    () => node.restore(ghosts, 'ipv4', kubeProxyRules([webGhost, ...more])),
    () => node.restore(otherThan(ghosts), 'ipv4', kubeProxyRules([webLive, ...moreLive], 'KUBE-IPTABLES-HINT')),
  ];
  for (const restore of winner === 'ghosts' ? eras.reverse() : eras) await restore();
  return { ...node, client, pods: [first, second], crictl };
}

export type HauntedNode = Awaited<ReturnType<typeof startHauntedNode>>;

export function otherThan(backend: Backend): Backend {
  return backend === 'legacy' ? 'nft' : 'legacy';
}

/** Adds rules that are nobody's but the operator's. */
export async function addForeignRules(node: LabNode, backend: Backend): Promise<void> {
  await node.restore(backend, 'ipv4', foreignRules, { noFlush: true });
}

const foreignRules = `*filter
:my-rules - [0:0]
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
-A INPUT -j my-rules
-A my-rules -s 203.0.113.0/24 -m comment --comment "not \\"KUBE\\" at all" -j DROP
COMMIT
*nat
:my-forwards - [0:0]
-A PREROUTING -d 203.0.113.9/32 -j my-forwards
-A my-forwards -p tcp -m tcp --dport 443 -j DNAT --to-destination 192.168.60.2:443
COMMIT
`;
