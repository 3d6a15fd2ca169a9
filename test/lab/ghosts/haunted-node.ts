import type { Backend, Family } from '../node/ruleset-text.ts';
import { type LabNode, startNode } from '../node/start-node.ts';
import { kubeProxyRules, type Service } from './kube-proxy-rules.ts';
import { configure } from './run-doctor.ts';

/** Service `default/web:http` with two pods that answer, and an earlier era of it with one that is gone. */
export const web = { name: 'default/web:http', address: '10.43.0.80', port: 80 } as const;
export const webLive: Service = { ...web, endpoints: ['10.42.0.9:8080', '10.42.0.10:8080'] };
export const webGhost: Service = { ...web, endpoints: ['10.42.0.5:8080'] };

export interface Haunting {
  /** The backend that kube-proxy does not write to any more; default `legacy`. */
  readonly ghosts?: Backend;
  /** Whose nat table is registered last, and therefore wins; default `ghosts`. */
  readonly winner?: 'ghosts' | 'live';
  /** Default `ipv4`. */
  readonly family?: Family;
  /** The Services as the ghosts have them, default `webGhost`; and as the live backend does, default `webLive`. */
  readonly earlier?: readonly Service[];
  readonly now?: readonly Service[];
}

/** A node with two pods, web-1 and web-2, and a client, on which kube-proxy has changed its backend. */
export async function startHauntedNode(haunting: Haunting = {}) {
  const node = await startPeopledNode();
  await haunt(node, haunting);
  return node;
}

export type PeopledNode = Awaited<ReturnType<typeof startPeopledNode>>;

/** The same node without a rule in its firewall. Its crictl knows the two pods. */
export async function startPeopledNode() {
  const node = await startNode();
  const [first, second, client] = await Promise.all([
    node.addPod({ name: 'web-1', address: '10.42.0.9', address6: 'fd00:42::9', tcp: [8080], udp: [5353] }),
    node.addPod({ name: 'web-2', address: '10.42.0.10', address6: 'fd00:42::10', tcp: [8080], udp: [5353] }),
    node.addClient(),
  ]);
  const crictl = await node.fakeCrictl([first, second]);
  await configure(node, { commands: { crictl } });
  return { ...node, client, pods: [first, second] as const, crictl };
}

/** kube-proxy's rules of an earlier day in one backend, and those of now, with kubelet's mark, in the other. */
export async function haunt(node: LabNode, haunting: Haunting = {}): Promise<void> {
  const { ghosts = 'legacy', winner = 'ghosts', family = 'ipv4' } = haunting;
  const { earlier = [webGhost], now = [webLive] } = haunting;
  const eras = [
    () => node.restore(ghosts, family, kubeProxyRules(earlier)),
    () => node.restore(otherThan(ghosts), family, kubeProxyRules(now, 'KUBE-IPTABLES-HINT')),
  ];
  for (const restore of winner === 'ghosts' ? eras.reverse() : eras) await restore();
}

export function otherThan(backend: Backend): Backend {
  return backend === 'legacy' ? 'nft' : 'legacy';
}
