import type { NetworkReading } from '../netfilter/walk/reading.ts';
import type { End } from '../netfilter/walk/walk.ts';

/**
 * What of the node's links and routes is not known and may matter, a line each. Rules that could not be read
 * are among the assumptions of the ends that they may change.
 */
export function unknownNetwork(network: NetworkReading, ends: readonly End[]): string[] {
  const missing = [
    ...(network.links === undefined ? ['links and addresses'] : []),
    ...(network.routes === undefined ? ['routes'] : []),
  ];
  const leavesSomewhere = ends.some(
    ({ way, packet }) => (way === 'forward' || way === 'out') && packet.outLink === undefined,
  );
  const why = network.policyRouting ? 'routes here depend on more than the destination (ip rule)' : undefined;
  return [
    ...(missing.length > 0 ? [`the node's ${missing.join(' and ')} are not known`] : []),
    ...(leavesSomewhere
      ? [`over which link it leaves is not known${why === undefined ? '' : `, as ${why}`}; say it with --out`]
      : []),
  ];
}
