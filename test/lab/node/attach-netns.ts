import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { NodeAddresses } from './boot-script.ts';
import type { Place } from './create-place.ts';

export interface NetnsSpec {
  /** As `ip netns` shows it. */
  readonly name: string;
  readonly bridge: keyof NodeAddresses;
  /** The node's own on that bridge. */
  readonly gateways: NodeAddresses[keyof NodeAddresses];
  /** IPv4 and IPv6, without prefix length. */
  readonly addresses: readonly string[];
}

/**
 * Makes a network namespace with an eth0 that is linked to one of the node's bridges, and a default
 * route to the node. Returns how to take it away.
 *
 * The node gets a host route to each address, so that any address will do, not only those of the
 * bridge's own subnet. The hardware address is made from the first address: a pod that comes back
 * with the address of another is then reached through the same neighbour entry.
 */
export async function attachNetns(
  node: Place,
  { name, bridge, gateways, addresses }: NetnsSpec,
): Promise<() => Promise<void>> {
  const link = `veth${digest(name)}`;

  await ipBatch(node, [
    `netns add ${name}`,
    `link add ${link} type veth peer name eth0 address 0a:58:${hardware(addresses)} netns ${name}`,
  ]);
  await ipBatch(node, ['link set lo up', 'link set eth0 up', ...addresses.flatMap(configureAddress)], name);
  await ipBatch(node, [
    `link set ${link} master ${bridge} up`,
    `link set ${link} type bridge_slave hairpin on`,
    ...addresses.map((address) => `route replace ${address} dev ${bridge}`),
  ]);

  return () =>
    ipBatch(node, [
      ...addresses.map((address) => `route del ${address} dev ${bridge}`),
      // Deleted before the namespace, which the kernel takes apart some time later.
      `link del ${link}`,
      `netns del ${name}`,
    ]);

  function configureAddress(address: string): readonly string[] {
    return isIPv6(address)
      ? [`addr add ${address}/64 dev eth0 nodad`, `route add default via ${gateways.ipv6} dev eth0 onlink`]
      : [`addr add ${address}/24 dev eth0`, `route add default via ${gateways.ipv4} dev eth0 onlink`];
  }
}

/** Lines as for `ip -batch`, in the node or in one of its network namespaces. */
async function ipBatch(node: Place, lines: readonly string[], netns?: string): Promise<void> {
  const where = netns === undefined ? [] : ['-n', netns];
  await node.run(['ip', ...where, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

function hardware(addresses: readonly string[]): string {
  return (digest(addresses.join()).match(/../g) ?? []).join(':');
}

/** Eight hexadecimal digits. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
