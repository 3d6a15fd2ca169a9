import type { Family } from '../netfilter/ruleset.ts';
import { createFirewall, type Firewall } from '../netfilter/walk/firewall.ts';
import type { NetworkReading } from '../netfilter/walk/reading.ts';
import type { End } from '../netfilter/walk/walk.ts';

/** An older recording does not tell whether the node forwards; a node of k3s does, or it would not be one. */
export function supposeForwarding(firewall: Firewall, family: Family): Firewall {
  const { network, ...reading } = firewall.reading;
  if (network.forwarding[family] !== undefined) return firewall;
  const forwarding = { ...network.forwarding, [family]: true };
  return createFirewall({ ...reading, network: { ...network, forwarding } });
}

/**
 * What of the node's network is not known and may matter, a line each. Rules that could not be read are
 * among the assumptions of the ends that they may change.
 */
export function unknownNetwork(network: NetworkReading, family: Family, ends: readonly End[]): string[] {
  const missing = [
    ...(network.links === undefined ? ['links', 'addresses'] : []),
    ...(network.routes === undefined ? ['routes'] : []),
  ];
  const ways = new Set(ends.map(({ way }) => way));
  const isSupposed = network.forwarding[family] === undefined && ways.has('forward');
  const hasNoLink = ends.some(
    ({ way, packet }) => (way === 'forward' || way === 'out') && packet.outLink === undefined,
  );
  const why = network.policyRouting ? ', as routes here depend on more than the destination (ip rule)' : '';
  return [
    ...(missing.length > 0 ? [`not known of the node: ${missing.join(', ')}`] : []),
    ...(isSupposed ? ['whether the node forwards is not known: it is supposed to, as k3s needs it'] : []),
    ...(hasNoLink ? [`over which link it leaves is not known${why}; say it with --out`] : []),
  ];
}
