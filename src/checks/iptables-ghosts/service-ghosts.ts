import type { Finding } from '../../engine/finding.ts';
import type { DeadFlow } from '../../engine/step.ts';
import type { Connections } from '../../facts/connections.ts';
import { isSame, isServiceClaim, liveServices, stateOf } from '../../facts/endpoint-state.ts';
import type { NatClaims } from '../../facts/nat-claims.ts';
import type { NatOrder } from '../../facts/nat-order.ts';
import type { Endpoints } from '../../facts/service-endpoints.ts';
import type { Claim } from '../../netfilter/claims.ts';
import type { Backend, Family } from '../../netfilter/ruleset.ts';
import { activityOf } from './activity.ts';
import { describeTraffic, effectOf, explainEffect, severityOf, subjectOf } from './traffic.ts';

export interface TrafficGhost {
  readonly family: Family;
  /** Without the remedy, which depends on the whole table. */
  readonly finding: Omit<Finding, 'remedy'>;
  readonly backend: Backend;
  readonly table: string;
  /** Whose host port it is. */
  readonly sandboxId?: string;
  readonly deadFlows: readonly DeadFlow[];
}

/** One ghost for each address and port that leftover Service chains claim. */
export function findServiceGhosts(
  claims: readonly NatClaims[],
  live: Backend,
  facts: {
    readonly order: NatOrder;
    readonly endpoints: Endpoints;
    readonly connections: Connections;
  },
): TrafficGhost[] {
  return claims
    .filter(({ backend }) => backend !== live)
    .flatMap(({ backend, family, claims: ghosts }) => {
      const services = liveServices(claims, live, family);
      const liveRulesKnown = services.known;
      return ghosts.filter(isServiceClaim).map((ghost): TrafficGhost => {
        const liveClaim = services.claimOf(ghost);
        const liveTargets = services.targetsOf(ghost);
        const order = facts.order[family];
        const contest = {
          ghost,
          ghostBackend: backend,
          live: liveClaim && { claim: liveClaim, backend: live },
          liveRulesKnown,
          order,
        };
        const effect = effectOf(contest);
        const sentTo = ghost.targets.map((target) => ({
          ...target,
          state: stateOf(target, ghost, { endpoints: facts.endpoints, liveTargets, liveRulesKnown }),
        }));
        const traffic = {
          protocol: ghost.protocol,
          address: ghost.address ?? null,
          port: ghost.port,
          service: ghost.servicePort ?? null,
          sentTo,
          live: liveClaim?.targets.map((target) => ({ ...target, backend: live })) ?? [],
        };
        const dead = sentTo.filter(
          (target) => target.state === 'dead' && !liveTargets.some((other) => isSame(other, target)),
        );
        const deadFlows = dead.map(({ address, port }) => flowTo(ghost, address, port));
        return {
          family,
          backend,
          table: 'nat',
          finding: {
            code: 'ghost-service',
            subject: subjectOf(`${backend} ${family} nat`, ghost),
            severity: severityOf(effect),
            effect,
            message: describeTraffic(traffic, backend, liveRulesKnown),
            traffic,
            evidence: [
              {
                source: `${backend} nat`,
                observed: ghost.chain,
                expected: `nothing: ${live} is the live backend`,
              },
              { source: 'effect', observed: explainEffect(effect) },
            ],
            ...activityOf(ghost, deadFlows, facts.connections),
          },
          deadFlows,
        };
      });
    });
}

/** The connections that a ghost claim may have sent to a dead target. */
export function flowTo(claim: Claim, target: string, targetPort: number): DeadFlow {
  return { protocol: claim.protocol, address: claim.address, port: claim.port, target, targetPort };
}
