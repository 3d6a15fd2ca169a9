import type { Connections } from '../../facts/connections.ts';
import type { NatClaims } from '../../facts/nat-claims.ts';
import type { NatOrder } from '../../facts/nat-order.ts';
import type { Sandboxes } from '../../facts/sandboxes.ts';
import { type Claim, claimKey } from '../../netfilter/claims.ts';
import { activityOf } from './activity.ts';
import { flowTo, type TrafficGhost } from './service-ghosts.ts';
import {
  describeTraffic,
  effectOf,
  explainEffect,
  type LiveClaim,
  severityOf,
  subjectOf,
} from './traffic.ts';

/** One ghost for each port of each sandbox that is gone. */
export function findHostPortGhosts(
  all: readonly NatClaims[],
  dead: ReadonlySet<string>,
  facts: {
    readonly order: NatOrder;
    readonly sandboxes: Sandboxes;
    readonly connections: Connections;
  },
): TrafficGhost[] {
  return all.flatMap(({ backend, family, claims }) =>
    claims.filter(isDead).map((ghost): TrafficGhost => {
      const rivals = all
        .filter((nat) => nat.family === family)
        .flatMap((nat) => nat.claims.map((claim) => ({ claim, backend: nat.backend })))
        .filter(
          ({ claim }) =>
            claim.sandboxId !== undefined && !isDead(claim) && claimKey(claim) === claimKey(ghost),
        );
      const rival = rivals.find((candidate) => candidate.backend !== backend) ?? rivals[0];
      const live = rival && withPosition(rival);
      const order = facts.order[family];
      const effect = effectOf({ ghost, ghostBackend: backend, live, liveRulesKnown: true, order });
      const traffic = {
        protocol: ghost.protocol,
        address: ghost.address ?? null,
        port: ghost.port,
        service: podOf(live?.claim),
        sentTo: ghost.targets.map((target) => ({ ...target, state: 'dead' as const })),
        live: live ? live.claim.targets.map((target) => ({ ...target, backend: live.backend })) : [],
      };
      const survivors = rivals.flatMap(({ claim }) => claim.targets);
      const deadFlows = ghost.targets
        .filter(
          (target) =>
            !survivors.some((other) => other.address === target.address && other.port === target.port),
        )
        .map(({ address, port }) => flowTo(ghost, address, port));
      return {
        family,
        backend,
        table: 'nat',
        ...(ghost.sandboxId !== undefined && { sandboxId: ghost.sandboxId }),
        finding: {
          code: 'ghost-host-port',
          subject: subjectOf(`${backend} ${family} nat sandbox ${ghost.sandboxId}`, ghost),
          severity: severityOf(effect),
          effect,
          message: `host port ${describeTraffic(traffic, backend)}`,
          traffic,
          evidence: [
            {
              source: `${backend} nat`,
              observed: `${ghost.chain} belongs to sandbox ${ghost.sandboxId}, which the container runtime does not run any more`,
            },
            { source: 'effect', observed: explainEffect(effect) },
          ],
          ...activityOf(ghost, deadFlows, facts.connections),
        },
        deadFlows,
      };

      /** Within one table the first rule wins; portmap appends, so the older sandbox is first. */
      function withPosition(candidate: LiveClaim): LiveClaim {
        if (candidate.backend !== backend) return candidate;
        return { ...candidate, ghostIsFirst: claims.indexOf(ghost) < claims.indexOf(candidate.claim) };
      }
    }),
  );

  function isDead({ sandboxId }: Claim): boolean {
    return sandboxId !== undefined && dead.has(sandboxId);
  }

  function podOf(claim: Claim | undefined): string | null {
    if (claim?.sandboxId === undefined || facts.sandboxes.kind !== 'known') return null;
    const pod = facts.sandboxes.ready.get(claim.sandboxId);
    return pod ? `${pod.namespace}/${pod.name}` : null;
  }
}
