import type { FactContext } from '../../../src/engine/fact.ts';
import { firewallFact } from '../../../src/facts/firewall.ts';
import { networkFact } from '../../../src/facts/network.ts';
import { podNetworkFact } from '../../../src/facts/pod-network.ts';
import { ufwFact } from '../../../src/facts/ufw.ts';
import type { Packet } from '../../../src/netfilter/walk/packet.ts';

/** What the facts say of a node, in a shape that JSON can carry. */
export async function readFacts(context: FactContext, packets: readonly Packet[]) {
  const [firewall, network, ufw, podNetwork] = await Promise.all([
    context.get(firewallFact),
    context.get(networkFact),
    context.get(ufwFact),
    context.get(podNetworkFact),
  ]);
  const { nft, sets, natFirst } = firewall.reading;
  return {
    network,
    ufw,
    podNetwork,
    natFirst,
    nft,
    sets: sets.kind === 'present' ? { ...sets, sets: Object.fromEntries(sets.sets) } : sets,
    walks: packets.map((packet) => firewall.walk(packet)),
  };
}
