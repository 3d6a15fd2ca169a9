import { parseAddress, printAddress } from '../netfilter/walk/addresses.ts';
import type { NodeFacts } from './cluster-nodes.ts';

/** The same node with each address spelt in one way, and without what is no address. */
export function spellAddresses(node: NodeFacts): NodeFacts {
  const { publicIp, publicIpv6, publicIpOverwrite } = node.flannel;
  return {
    ...node,
    internalAddresses: spellAll(node.internalAddresses),
    externalAddresses: spellAll(node.externalAddresses),
    flannel: {
      ...node.flannel,
      publicIp: publicIp && spellAddress(publicIp),
      publicIpv6: publicIpv6 && spellAddress(publicIpv6),
      publicIpOverwrite: publicIpOverwrite && spellAddress(publicIpOverwrite),
    },
  };
}

/** As the kernel prints it; undefined: no address. */
export function spellAddress(text: string): string | undefined {
  const address = parseAddress(text, text.includes(':') ? 'ipv6' : 'ipv4');
  return address && printAddress(address);
}

function spellAll(texts: readonly string[]): readonly string[] {
  return texts.map(spellAddress).filter((address) => address !== undefined);
}
