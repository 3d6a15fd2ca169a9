import type { Family } from '../netfilter/ruleset.ts';
import { routeTo } from '../netfilter/walk/arrival-links.ts';
import type { NetworkReading } from '../netfilter/walk/reading.ts';
import type { NodeFacts } from './cluster-nodes.ts';
import { ownAddress, type PeerFlow, tunnelAddress } from './peer-flows.ts';

/** What is on this node's links. */
export function ownAddresses({ links = [] }: NetworkReading): ReadonlySet<string> {
  return new Set(links.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
}

/**
 * Where a flow gets to on this node: the announced address. If that is on no link (there is a NAT before
 * the node), the one that the node told the API; else one of the link that leads to the sender.
 */
export function receivingAddress(
  { family, flow, source }: PeerFlow,
  network: NetworkReading,
  self: NodeFacts | undefined,
): string | undefined {
  const isTunnel = flow.protocol !== 'tcp';
  const announced = self && [
    ...(isTunnel ? [tunnelAddress(self, family)] : []),
    ownAddress(self, family),
    tunnelAddress(self, family),
  ];
  const known = (announced ?? []).filter((address) => address !== undefined);
  if (network.links === undefined) return known[0];
  const own = ownAddresses(network);
  return known.find((address) => own.has(address)) ?? addressTowards(network, family, source);
}

/** Of the link that leads to them. */
function addressTowards(network: NetworkReading, family: Family, source: string): string | undefined {
  const link = routeTo(network, family, source)?.link;
  return network.links
    ?.find(({ name }) => name === link)
    ?.addresses.find((each) => each.family === family && each.scope === 'global')?.address;
}
