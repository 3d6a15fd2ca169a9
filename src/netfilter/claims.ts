import type { Endpoint } from './service-port.ts';
import type { Asked, OwnedChain, PodPortRule, TableReading } from './table-reading.ts';

/** An address and port that a nat table claims, and where it sends what arrives there. */
export interface Claim extends Asked {
  /** `namespace/name:port` of a Service, undefined for a host port. */
  readonly servicePort: string | undefined;
  /** Set for a host port. */
  readonly sandboxId: string | undefined;
  /** The first chain that the claiming rule leads to. */
  readonly chain: string;
  readonly targets: readonly Endpoint[];
  /** Counted by the rules that send there; those of one Service's claims are the same. */
  readonly packets: number;
}

/** One string for what is asked for, to find it in another table. */
export function claimKey({ protocol, address, port }: Asked): string {
  return `${protocol} ${address ?? '*'} ${port}`;
}

/** The claims of kube-proxy's Services: cluster, external and load balancer addresses, node ports. */
export function serviceClaims(reading: TableReading): Claim[] {
  const reachOf = reachResolver(reading);
  const claims = new Map<string, Claim>();
  for (const rule of reading.services) {
    const key = claimKey(rule);
    // Of several rules for one address, for other places of origin, the first stands for all.
    if (!claims.has(key)) claims.set(key, { ...rule, sandboxId: undefined, ...reachOf(rule.chain) });
  }
  return [...claims.values()];
}

/** The claims of portmap's host ports, in the order in which portmap's rules try them. */
export function hostPortClaims(reading: TableReading): Claim[] {
  const ports = Map.groupBy(reading.podPorts, ({ chain }) => chain);
  const sandboxes = new Map(reading.hostPorts.map(({ target, sandboxId }) => [target, sandboxId]));
  return [...sandboxes].flatMap(([chain, sandboxId]) =>
    // A second rule for the same port is never reached.
    [...Map.groupBy(ports.get(chain) ?? [], claimKey).values()].flatMap(([first]) =>
      first ? [podClaim(first, sandboxId)] : [],
    ),
  );
}

function podClaim(
  { endpoint, protocol, address, port, chain, packets }: PodPortRule,
  sandboxId: string,
): Claim {
  return {
    protocol,
    address,
    port,
    servicePort: undefined,
    sandboxId,
    chain,
    targets: [endpoint],
    packets,
  };
}

/** All endpoints that can be reached from a Service chain, and what was counted on the way to them. */
function reachResolver(reading: TableReading): (chain: string) => Pick<Claim, 'targets' | 'packets'> {
  const known = new Map<string, Pick<Claim, 'targets' | 'packets'>>();
  return (chain) => {
    const before = known.get(chain);
    if (before) return before;
    const ends = endpointChains(reading, chain);
    const reach = {
      targets: ends.flatMap(({ endpoint }) => endpoint ?? []),
      packets: ends.reduce((sum, { packets }) => sum + packets, 0),
    };
    known.set(chain, reach);
    return reach;
  };
}

/** Each once, though two ways may lead there (all endpoints, local ones). */
function endpointChains({ owned }: TableReading, start: string): OwnedChain[] {
  const reached = new Set([start]);
  const ends: OwnedChain[] = [];
  for (const name of reached) {
    const chain = owned.get(name);
    if (chain?.endpoint) ends.push(chain);
    else for (const next of chain?.next ?? []) reached.add(next);
  }
  return ends;
}
