import type { TableReading } from './read-table.ts';
import { optionValue, parseRule } from './rule.ts';
import { ruleLines, type Ruleset } from './ruleset.ts';
import { type Endpoint, parseEndpoint, servicePortIn } from './service-port.ts';
import { jumpValue } from './rule.ts';

/** An address and port that a nat table claims, and where it sends what arrives there. */
export interface Claim {
  readonly protocol: string;
  /** Undefined: any address of this node (node port, host port). */
  readonly address: string | undefined;
  readonly port: number;
  /** `namespace/name:port` of a Service, undefined for a host port. */
  readonly servicePort: string | undefined;
  /** Set for a host port. */
  readonly sandboxId: string | undefined;
  /** The first chain that the claiming rule leads to. */
  readonly chain: string;
  readonly targets: readonly Endpoint[];
}

/** One string for what a claim claims, to find it in another table. */
export function claimKey(claim: Pick<Claim, 'protocol' | 'address' | 'port'>): string {
  return `${claim.protocol} ${claim.address ?? '*'} ${claim.port}`;
}

/** The claims of kube-proxy's Services: cluster, external and load balancer addresses, node ports. */
export function readServiceClaims(ruleset: Ruleset, reading: TableReading): Claim[] {
  const claims: Claim[] = [];
  const targetsOf = targetResolver(reading);
  for (const name of ['KUBE-SERVICES', 'KUBE-NODEPORTS']) {
    const owned = reading.owned.get(name);
    if (!owned) continue;
    for (const line of ruleLines(ruleset, owned.chain)) {
      const rule = parseRule(line);
      const chain = rule?.jump?.target;
      if (!rule || chain === undefined || !reading.owned.get(chain)?.kind) continue;
      const port = Number(optionValue(rule, '--dport'));
      const protocol = optionValue(rule, '-p');
      const servicePort = servicePortIn(optionValue(rule, '--comment') ?? '');
      if (!Number.isInteger(port) || protocol === undefined) continue;
      const address = optionValue(rule, '-d')?.replace(/\/\d+$/, '');
      claims.push({ protocol, address, port, servicePort, sandboxId: undefined, chain, targets: targetsOf(chain) });
    }
  }
  return claims;
}

/** The claims of portmap's host ports, one for each port of each sandbox. */
export function readHostPortClaims(ruleset: Ruleset, reading: TableReading): Claim[] {
  const claims: Claim[] = [];
  const seen = new Set<string>();
  for (const { target, sandboxId } of reading.hostPorts) {
    const owned = reading.owned.get(target);
    if (!owned || seen.has(target)) continue;
    seen.add(target);
    for (const line of ruleLines(ruleset, owned.chain)) {
      const rule = parseRule(line);
      if (rule?.jump?.target !== 'DNAT') continue;
      const endpoint = parseEndpoint(jumpValue(rule, '--to-destination') ?? '');
      const protocol = optionValue(rule, '-p');
      const port = Number(optionValue(rule, '--dport'));
      if (!endpoint || protocol === undefined || !Number.isInteger(port)) continue;
      const address = optionValue(rule, '-d')?.replace(/\/\d+$/, '');
      claims.push({
        protocol,
        address,
        port,
        servicePort: undefined,
        sandboxId,
        chain: target,
        targets: [endpoint],
      });
    }
  }
  return claims;
}

/** All endpoints that can be reached from a Service chain. Chains form no loops: kube-proxy's never do, and depth is bounded. */
function targetResolver(reading: TableReading): (chain: string) => readonly Endpoint[] {
  const known = new Map<string, readonly Endpoint[]>();
  return (chain) => resolve(chain, 0);

  function resolve(name: string, depth: number): readonly Endpoint[] {
    const before = known.get(name);
    if (before) return before;
    const owned = reading.owned.get(name);
    if (!owned || depth > 5) return [];
    if (owned.endpoint) return [owned.endpoint];
    const found = new Map<string, Endpoint>();
    for (const next of new Set(owned.next)) {
      for (const endpoint of resolve(next, depth + 1)) found.set(`${endpoint.address} ${endpoint.port}`, endpoint);
    }
    const targets = [...found.values()];
    known.set(name, targets);
    return targets;
  }
}
