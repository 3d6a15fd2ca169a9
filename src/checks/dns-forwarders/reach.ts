import { listed } from '../../engine/listed.ts';
import { isAlive } from '../../facts/dns/coredns.ts';
import type { Seen } from './seen.ts';
import { stateOf } from './verdicts.ts';

/** Whether a change could be proven from this host: by asking CoreDNS. */
export type Reach =
  /** By these addresses. */
  | { readonly kind: 'reached'; readonly addresses: readonly string[] }
  | { readonly kind: 'not-reached'; readonly reason: string };

export function reachOf(seen: Seen): Reach {
  const { service, pods } = seen.coreDns;
  const addresses = service.kind === 'known' ? service.value : [];
  const reached = [...seen.cluster.cluster.values()]
    .filter((answer) => stateOf(answer) === 'of-use')
    .map(({ server }) => server);
  const services = reached.filter((server) => addresses.includes(server));
  if (services.length > 0) return { kind: 'reached', addresses: services };
  if (reached.length > 0) return { kind: 'reached', addresses: reached };
  // It will answer at the Service's address once it is where it belongs, which is seen to before.
  if (isMoving(seen) && addresses.length > 0) return { kind: 'reached', addresses };
  const living = pods.kind === 'known' ? pods.value.filter(isAlive) : [];
  const nodes = [...new Set(living.flatMap(({ node }) => node ?? []))];
  const here = seen.nodes.kind === 'known' ? seen.nodes.self?.name : undefined;
  const others = nodes.filter((node) => node !== here);
  if (pods.kind === 'known' && living.length === 0) return notReached('no pod of CoreDNS runs');
  if (others.length === 0)
    return notReached('CoreDNS does not answer this host (coredns-health and coredns-placement say more)');
  return notReached(
    `CoreDNS, on ${listed(others)}, does not answer this host: run "doctor fix dns-forwarders" there, or find out with coredns-placement why not`,
  );
}

function notReached(why: string): Reach {
  return { kind: 'not-reached', reason: `a change could not be proven from here: ${why}` };
}

/** Some pod is where it must not be and is not reached: coredns-placement moves it ahead of this in the same plan. */
function isMoving({ placement, config }: Seen): boolean {
  return (
    config.checks['coredns-placement'].mode === 'fix' &&
    placement.kind === 'known' &&
    placement.pods.some(({ isAllowed }) => !isAllowed) &&
    placement.allowed.some(({ ready, unschedulable }) => ready && !unschedulable)
  );
}

/** The operator's word moves pods off where they are reached, and here is one of the places for them. */
export function canMoveHere(seen: Seen): boolean {
  const { placement, nodes } = seen;
  const here = nodes.kind === 'known' ? nodes.self?.name : undefined;
  return (
    isMoving(seen) &&
    placement.kind === 'known' &&
    placement.policy !== 'server' &&
    placement.allowed.some(({ name }) => name === here)
  );
}
