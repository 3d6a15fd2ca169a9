import type { Target } from '../engine/finding.ts';
import { type Claim, claimKey } from '../netfilter/claims.ts';
import type { Backend, Family } from '../netfilter/ruleset.ts';
import type { Endpoint } from '../netfilter/service-port.ts';
import type { NatClaims } from './nat-claims.ts';
import type { Endpoints } from './service-endpoints.ts';

export interface Truth {
  readonly endpoints: Endpoints;
  /** Where the live backend sends the same address, and the same Service at any other address. */
  readonly liveTargets: readonly Endpoint[];
  readonly liveRulesKnown: boolean;
}

/** Whether a target of a Service is a live endpoint: by the API, else by what the live backend says. */
export function stateOf(
  target: Endpoint,
  claim: Claim,
  { endpoints, liveTargets, liveRulesKnown }: Truth,
): Target['state'] {
  if (endpoints.kind === 'known' && claim.servicePort !== undefined) {
    const [service = '', portName = ''] = claim.servicePort.split(':');
    const match = endpoints.services
      .get(service)
      ?.find(
        (endpoint) =>
          isSame(endpoint, target) && endpoint.protocol === claim.protocol && endpoint.portName === portName,
      );
    if (!match) return 'dead';
    return match.state === 'not-ready' ? 'not-ready' : 'live';
  }
  if (!liveRulesKnown) return 'unknown';
  return liveTargets.some((other) => isSame(other, target)) ? 'live' : 'dead';
}

export function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address && a.port === b.port;
}

/** What the live backend says of Services that the other one claims, or it itself. */
export interface LiveServices {
  /** False where kube-proxy's rules are not in iptables at all: then no claim there means nothing. */
  readonly known: boolean;
  claimOf(claim: Claim): Claim | undefined;
  /** Of the same address, and of the same Service at any other address. */
  targetsOf(claim: Claim): readonly Endpoint[];
}

/** `live` undefined: which backend is the live one is not known. */
export function liveServices(
  all: readonly NatClaims[],
  live: Backend | undefined,
  family: Family,
): LiveServices {
  const claims = all
    .filter((nat) => nat.backend === live && nat.family === family)
    .flatMap((nat) => nat.claims.filter(isServiceClaim));
  const byKey = new Map(claims.map((claim) => [claimKey(claim), claim]));
  const byService = Map.groupBy(claims, ({ servicePort }) => servicePort);
  const claimOf = (claim: Claim) => byKey.get(claimKey(claim));
  return {
    known: claims.length > 0,
    claimOf,
    targetsOf(claim) {
      const same = claimOf(claim);
      const sameService = claim.servicePort === undefined ? [] : (byService.get(claim.servicePort) ?? []);
      return [...(same ? [same] : []), ...sameService].flatMap(({ targets }) => targets);
    },
  };
}

export function isServiceClaim({ sandboxId }: Claim): boolean {
  return sandboxId === undefined;
}
