import type { OverlayProfile } from '../config/config.ts';
import type { Family } from '../netfilter/ruleset.ts';
import type { NodeFacts } from './cluster-nodes.ts';
import {
  api,
  etcd,
  type Flow,
  kubelet,
  type NeededFlow,
  profileFlows,
  spegel,
  supervisor,
  vxlan,
  wireguard,
  wireguardIpv6,
} from './flow.ts';

/** What is looked at besides the two nodes. */
export interface Circumstances {
  readonly profiles: readonly OverlayProfile[];
  /** Whether k3s shares images between the nodes (Spegel). */
  readonly embeddedRegistry: boolean;
  /** Where a server serves the API to others. */
  readonly apiPorts: readonly number[];
}

/** What one other node has to send to this one, without this node's addresses being known yet. */
export type PeerFlow = Omit<NeededFlow, 'destination'>;

/**
 * What another node has to send to this one: the overlay from its tunnel address, the rest from its own.
 * `isHidden`: of an address that nobody here ever sees, because its node is behind a NAT.
 */
export function flowsFrom(
  peer: NodeFacts,
  self: NodeFacts,
  about: Circumstances,
  isHidden: (address: string) => boolean = () => false,
): readonly PeerFlow[] {
  const seen = (address: string, family: Family) =>
    isHidden(address)
      ? (peer.externalAddresses.find((each) => familyOf(each) === family) ?? address)
      : address;

  const overlay = overlayFamilies(self).flatMap((family) => {
    const source = tunnelAddress(peer, family) ?? ownAddress(peer, family);
    const flows = [...tunnelFlows(self, family), ...about.profiles.flatMap((name) => profileFlows[name])];
    return source === undefined ? [] : flows.map((flow) => ({ flow, family, node: peer.name, source }));
  });
  return [...overlay, ...clusterFlows(peer, self, about)].map((need) => ({
    ...need,
    source: seen(need.source, need.family),
  }));
}

/** What hosts of the configuration send: what the profiles say, and nothing of the cluster. */
export function flowsFromHost(source: string, profiles: readonly OverlayProfile[]): readonly PeerFlow[] {
  const flows = profiles.flatMap((name) => profileFlows[name]);
  return flows.map((flow) => ({ flow, family: familyOf(source), node: undefined, source }));
}

export function familyOf(address: string): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** In which a node's end of the overlay is; without Flannel's word for it, the family it is known by. */
function overlayFamilies({ flannel, internalAddresses }: NodeFacts): readonly Family[] {
  const announced: Family[] = [
    ...(flannel.publicIp === undefined ? [] : ['ipv4' as const]),
    ...(flannel.publicIpv6 === undefined ? [] : ['ipv6' as const]),
  ];
  return announced.length > 0 ? announced : internalAddresses.slice(0, 1).map(familyOf);
}

export function tunnelAddress({ flannel }: NodeFacts, family: Family): string | undefined {
  return family === 'ipv4' ? flannel.publicIp : flannel.publicIpv6;
}

/** The first that it told the API, internal ones before external ones. */
export function ownAddress(node: NodeFacts, family: Family): string | undefined {
  return [...node.internalAddresses, ...node.externalAddresses].find(
    (address) => familyOf(address) === family,
  );
}

function tunnelFlows({ flannel }: NodeFacts, family: Family): readonly Flow[] {
  switch (flannel.backend) {
    case 'vxlan':
      return [vxlan];
    case 'wireguard':
      return [family === 'ipv4' ? wireguard : wireguardIpv6];
    case 'ipsec':
      return profileFlows.ipsec;
    default:
      return [];
  }
}

/** Kubernetes speaks to the address that a node names first, so the first family that both have is enough. */
function clusterFlows(peer: NodeFacts, self: NodeFacts, about: Circumstances): readonly PeerFlow[] {
  const families = [...new Set([...self.internalAddresses, ...self.externalAddresses].map(familyOf))];
  for (const family of families) {
    const source = ownAddress(peer, family);
    if (source === undefined) continue;
    const flows = [
      ...(self.controlPlane ? about.apiPorts.map(api) : about.embeddedRegistry ? [supervisor] : []),
      ...(self.etcd && peer.etcd ? [etcd] : []),
      kubelet,
      ...(about.embeddedRegistry ? [spegel] : []),
    ];
    return flows.map((flow) => ({ flow, family, node: peer.name, source }));
  }
  return [];
}
