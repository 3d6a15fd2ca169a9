import type { Fact } from '../engine/fact.ts';
import { isPrivate } from '../netfilter/is-private.ts';
import { routeTo } from '../netfilter/walk/arrival-links.ts';
import type { NetworkReading } from '../netfilter/walk/reading.ts';
import { apiAccessFact } from './api-access.ts';
import { type ClusterNodes, clusterNodesFact, type NodeFacts } from './cluster-nodes.ts';
import { embeddedRegistryFact } from './embedded-registry.ts';
import type { NeededFlow } from './flow.ts';
import { networkFact } from './network.ts';
import { type Circumstances, familyOf, flowsFrom, flowsFromHost, type PeerFlow } from './peer-flows.ts';
import { ownAddresses, receivingAddress } from './receiving-address.ts';
import { spellAddress, spellAddresses } from './spell-addresses.ts';

/** What the other nodes, and the hosts of the configuration, have to send to this node. */
export interface ClusterFlows {
  /** Each address and flow once. */
  readonly needed: readonly NeededFlow[];
  /** Why some could not be told, a line each. */
  readonly undetermined: readonly string[];
  /** What was decided on the way. */
  readonly notes: readonly string[];
}

export const clusterFlowsFact: Fact<ClusterFlows> = {
  id: 'cluster-flows',
  async gather({ config, get }) {
    const { profiles, peers } = config.checks['ufw-overlay'];
    const [nodes, network, embeddedRegistry, { servedAt }] = await Promise.all([
      get(clusterNodesFact),
      get(networkFact),
      get(embeddedRegistryFact),
      get(apiAccessFact),
    ]);
    // One that is down now will be at k3s' own port.
    const apiPorts = servedAt.length > 0 ? servedAt : [6443];
    const about = {
      profiles,
      embeddedRegistry,
      apiPorts,
      peers: peers.map((peer) => spellAddress(peer) ?? peer),
    };
    return deriveFlows(spellNodes(nodes), network, about);
  },
};

function spellNodes(nodes: ClusterNodes): ClusterNodes {
  if (nodes.kind !== 'known') return nodes;
  const { self } = nodes;
  return { ...nodes, nodes: nodes.nodes.map(spellAddresses), self: self && spellAddresses(self) };
}

interface Asked extends Circumstances {
  readonly peers: readonly string[];
}

function deriveFlows(nodes: ClusterNodes, network: NetworkReading, asked: Asked): ClusterFlows {
  const cluster = ofCluster(nodes, network, asked);
  const self = nodes.kind === 'known' ? nodes.self : undefined;
  const hosts = asked.peers.flatMap((peer) => flowsFromHost(peer, asked.profiles));
  const placed = [...cluster.flows, ...hosts].map((flow) => place(flow, network, self));
  const isUseless = asked.peers.length > 0 && asked.profiles.length === 0;
  const once = new Map(
    placed.flatMap((flow) => (typeof flow === 'string' ? [] : [[`${flow.source} ${flow.flow.name}`, flow]])),
  );
  return {
    needed: [...once.values()],
    undetermined: [
      ...cluster.undetermined,
      ...new Set(placed.filter((flow) => typeof flow === 'string')),
      ...(isUseless
        ? ['checks.ufw-overlay.peers is set and profiles is not: nothing is known that those hosts need']
        : []),
    ],
    notes: cluster.notes,
  };
}

interface OfCluster extends Pick<ClusterFlows, 'undetermined' | 'notes'> {
  readonly flows: readonly PeerFlow[];
}

function ofCluster(nodes: ClusterNodes, network: NetworkReading, about: Circumstances): OfCluster {
  if (nodes.kind === 'unavailable') {
    const reason = `the nodes of the cluster are not known: ${nodes.reason}`;
    return { flows: [], undetermined: [reason], notes: [] };
  }
  const { self } = nodes;
  if (self === undefined) {
    const names = nodes.nodes.map(({ name }) => name).join(', ') || 'none';
    const reason = `this node is not among the nodes of the cluster (${names}): what they need of it is not known`;
    return { flows: [], undetermined: [reason], notes: [] };
  }
  const others = nodes.nodes.filter(({ name }) => name !== self.name);
  const owners = ownersOf(nodes.nodes);
  const own = ownAddresses(network);
  const flows: PeerFlow[] = [];
  const undetermined: string[] = [];
  for (const peer of others) {
    const needs = flowsFrom(peer, self, about, (address) => isBehindNat(address, network));
    const doubt = doubtAbout(peer, { self, needs, owners, own });
    if (doubt === undefined) flows.push(...needs);
    else undetermined.push(doubt);
  }
  return { flows, undetermined, notes: describeBackends(self, others) };
}

/** A private address that this node would look for on the public internet: packets from there have another one. */
function isBehindNat(address: string, network: NetworkReading): boolean {
  if (!isPrivate(address)) return false;
  const route = routeTo(network, familyOf(address), address);
  if (!route?.destination.endsWith('/0')) return false;
  const link = network.links?.find(({ name }) => name === route.link);
  return link?.addresses.some((each) => each.scope === 'global' && !isPrivate(each.address)) ?? false;
}

/** Every address with the nodes that claim it. */
function ownersOf(nodes: readonly NodeFacts[]): ReadonlyMap<string, readonly string[]> {
  const claims = nodes.flatMap(({ name, ...node }) =>
    addressesOf(node).map((address) => ({ address, name })),
  );
  return new Map(
    [...Map.groupBy(claims, ({ address }) => address)].map(([address, found]) => [
      address,
      [...new Set(found.map(({ name }) => name))],
    ]),
  );
}

/** External ones are left out: nodes behind one NAT share theirs. */
function addressesOf({ internalAddresses, flannel }: Omit<NodeFacts, 'name'>): readonly string[] {
  const tunnel = [flannel.publicIp, flannel.publicIpv6].filter((address) => address !== undefined);
  return [...new Set([...internalAddresses, ...tunnel])];
}

interface Doubtful {
  readonly self: NodeFacts;
  readonly needs: readonly PeerFlow[];
  readonly owners: ReadonlyMap<string, readonly string[]>;
  readonly own: ReadonlySet<string>;
}

/** Why nothing can be said of a node. */
function doubtAbout(peer: NodeFacts, { self, needs, owners, own }: Doubtful): string | undefined {
  const addresses = [...addressesOf(peer), ...peer.externalAddresses];
  if (addresses.length === 0) return `node ${peer.name} has no address: what it needs was not judged`;
  for (const { source } of needs) {
    const claimants = owners.get(source) ?? [];
    if (claimants.length > 1) {
      return `nodes ${claimants.join(' and ')} have the same address ${source}: what ${peer.name} needs was not judged`;
    }
    if (own.has(source)) {
      return `node ${peer.name} has the address ${source}, which is this node's: what it needs was not judged`;
    }
  }
  if (needs.length > 0) return undefined;
  const has = (node: NodeFacts) => {
    const addresses = [...node.internalAddresses, ...node.externalAddresses];
    return [...new Set(addresses.map((address) => familyName[familyOf(address)]))].join(' and ') || 'no';
  };
  return `node ${peer.name} has ${has(peer)} addresses alone and this node ${has(self)}: what it needs was not judged`;
}

const withoutPort = ['host-gw'];
const withPort = ['vxlan', 'wireguard', 'ipsec'];

function describeBackends(self: NodeFacts, others: readonly NodeFacts[]): readonly string[] {
  const { backend } = self.flannel;
  const different = others.filter(({ flannel }) => flannel.backend !== backend);
  return [
    ...(backend === undefined
      ? ['Flannel has not announced itself for this node: no port of an overlay was looked at']
      : withPort.includes(backend)
        ? [`Flannel's backend is ${backend}`]
        : withoutPort.includes(backend)
          ? [`Flannel's backend is ${backend}: it has no port`]
          : [`Flannel's backend is ${backend}: what it needs is not known, and was not looked at`]),
    ...different.map(
      ({ name, flannel }) =>
        `node ${name} announces ${flannel.backend ?? 'no backend'}: all nodes have to have the same`,
    ),
  ];
}

function place(flow: PeerFlow, network: NetworkReading, self: NodeFacts | undefined): NeededFlow | string {
  const destination = receivingAddress(flow, network, self);
  if (destination !== undefined) return { ...flow, destination };
  const who = flow.node === undefined ? flow.source : `node ${flow.node} (${flow.source})`;
  return `this node has no ${familyName[flow.family]} address that ${who} could send to: it was not judged`;
}

const familyName = { ipv4: 'IPv4', ipv6: 'IPv6' } as const;
