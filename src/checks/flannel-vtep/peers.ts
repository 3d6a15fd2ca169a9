import type { ClusterNodes, NodeFacts } from '../../facts/cluster-nodes.ts';
import { innerAddress, type Overlay } from '../../facts/overlay.ts';

/** Another node, seen from one overlay of this one. */
export interface Peer {
  readonly node: NodeFacts;
  readonly podCidr: string;
  /** Its end of the overlay: `10.42.1.0`. */
  readonly inner: string;
  /** Where the tunnel to it goes, as Flannel announced it. */
  readonly tunnelAddress: string | undefined;
  readonly mac: string | undefined;
}

/** The other nodes that use VXLAN and have pods of the overlay's family. */
export function peersOf(
  { nodes, self }: ClusterNodes & { kind: 'known' },
  { family }: Overlay,
): readonly Peer[] {
  const isV6 = family === 'ipv6';
  return nodes
    .filter(({ name, flannel }) => name !== self?.name && flannel.backend === 'vxlan')
    .flatMap((node) => {
      const podCidr = node.podCidrs.find((cidr) => cidr.includes(':') === isV6);
      if (podCidr === undefined) return [];
      const { publicIp, publicIpv6, vtepMac, vtepMacV6 } = node.flannel;
      return [
        {
          node,
          podCidr,
          inner: innerAddress(podCidr),
          tunnelAddress: (isV6 ? publicIpv6 : publicIp)?.toLowerCase(),
          mac: (isV6 ? vtepMacV6 : vtepMac)?.toLowerCase(),
        },
      ];
    });
}
