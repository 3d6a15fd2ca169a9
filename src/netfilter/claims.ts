import type { Endpoint } from './service-port.ts';
import type { Asked, TableReading } from './table-reading.ts';

/** An address and port that a nat table claims, and where it sends what arrives there. */
export interface Claim extends Asked {
  /** `namespace/name:port` of a Service, undefined for a host port. */
  readonly servicePort: string | undefined;
  /** Set for a host port. */
  readonly sandboxId: string | undefined;
  /** The first chain that the claiming rule leads to. */
  readonly chain: string;
  readonly targets: readonly Endpoint[];
}

/** One string for what is asked for, to find it in another table. */
export function claimKey({ protocol, address, port }: Asked): string {
  return `${protocol} ${address ?? '*'} ${port}`;
}

/** The claims of kube-proxy's Services: cluster, external and load balancer addresses, node ports. */
export function serviceClaims(reading: TableReading): Claim[] {
  const targetsOf = targetResolver(reading);
  const claims = new Map<string, Claim>();
  for (const rule of reading.services) {
    const key = claimKey(rule);
    // Of several rules for one address, for other places of origin, the first stands for all.
    if (!claims.has(key)) claims.set(key, { ...rule, sandboxId: undefined, targets: targetsOf(rule.chain) });
  }
  return [...claims.values()];
}

/** The claims of portmap's host ports, in the order in which portmap's rules try them. */
export function hostPortClaims(reading: TableReading): Claim[] {
  const ports = Map.groupBy(reading.podPorts, ({ chain }) => chain);
  const sandboxes = new Map(reading.hostPorts.map(({ target, sandboxId }) => [target, sandboxId]));
  return [...sandboxes].flatMap(([chain, sandboxId]) =>
    (ports.get(chain) ?? []).map(({ endpoint, protocol, address, port }) => ({
      protocol,
      address,
      port,
      servicePort: undefined,
      sandboxId,
      chain,
      targets: [endpoint],
    })),
  );
}

/** All endpoints that can be reached from a Service chain. kube-proxy's chains form no loops; the depth is bounded all the same. */
function targetResolver(reading: TableReading): (chain: string) => readonly Endpoint[] {
  const known = new Map<string, readonly Endpoint[]>();
  return (chain) => resolve(chain, 0);

  function resolve(name: string, depth: number): readonly Endpoint[] {
    const before = known.get(name);
    if (before) return before;
    const owned = reading.owned.get(name);
    if (!owned || depth > 5) return [];
    if (owned.endpoint) return [owned.endpoint];
    const targets = distinct([...new Set(owned.next)].flatMap((next) => resolve(next, depth + 1)));
    known.set(name, targets);
    return targets;
  }
}

/** One Service chain may lead to an endpoint by two ways (all endpoints, local ones). */
function distinct(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  return endpoints.filter(
    ({ address, port }, i) =>
      endpoints.findIndex((other) => other.address === address && other.port === port) === i,
  );
}
