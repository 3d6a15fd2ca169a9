/**
 * iptables-ghosts: chains and rules that kube-proxy, the CNI or the network policy controller left
 * behind, which still catch traffic. Everything here is a pure function of facts.
 */
import { type Check, type Diagnosis, defineCheck, withoutFindings } from '../../engine/check.ts';
import type { Effect, Finding } from '../../engine/finding.ts';
import { type Connections, connectionsFact } from '../../facts/connections.ts';
import { type KubeComponents, kubeComponentsFact } from '../../facts/kube-components.ts';
import { liveBackendFact } from '../../facts/live-backend.ts';
import { type NatClaims, natClaimsFact } from '../../facts/nat-claims.ts';
import { type NatOrder, natOrderFact } from '../../facts/nat-order.ts';
import { rulesetsFact } from '../../facts/rulesets.ts';
import { cniNetworksFact, type Sandboxes, sandboxesFact } from '../../facts/sandboxes.ts';
import { type Endpoints, serviceEndpointsFact } from '../../facts/service-endpoints.ts';
import { type ReadTable, tableReadingsFact } from '../../facts/table-readings.ts';
import { type Backend, families } from '../../netfilter/ruleset.ts';
import { judgeHostPorts } from './dead-host-ports.ts';
import { contradictEndpoints } from './endpoint-cross-check.ts';
import { findFilterGhosts } from './filter-ghosts.ts';
import { findObstacles, type GhostSet } from './ghost-set.ts';
import { findHostPortGhosts } from './host-port-ghosts.ts';
import { findLeftovers } from './leftovers.ts';
import { type Ghost, planRepair } from './plan-repair.ts';
import { findScaffoldGhosts } from './scaffold-ghosts.ts';
import { findServiceGhosts, type TrafficGhost } from './service-ghosts.ts';
import { describeBackends, describeBlindSpots, describeLimits, describeOrder } from './survey.ts';

export const iptablesGhosts: Check = defineCheck({
  id: 'iptables-ghosts',
  title: 'No ghost iptables chains',
  failureTitle: 'Ghost iptables chains',
  severity: 'error',
  why: 'Chains in the backend that nobody maintains, or of pods that are gone, send live traffic to dead addresses.',
  facts: {
    rulesets: rulesetsFact,
    tables: tableReadingsFact,
    components: kubeComponentsFact,
    live: liveBackendFact,
    claims: natClaimsFact,
    order: natOrderFact,
    endpoints: serviceEndpointsFact,
    sandboxes: sandboxesFact,
    networks: cniNetworksFact,
    connections: connectionsFact,
  },
  diagnose(facts) {
    const { tables, live } = facts;
    const notes = describeBackends(facts.rulesets);
    if (live.kind === 'unknown') return unknown([live.reason], notes, tables);
    if (live.kind === 'live') {
      const blind = describeBlindSpots(facts.rulesets);
      const contradiction = contradictEndpoints(facts.claims, live.backend, facts);
      if (contradiction !== undefined) return unknown([contradiction], notes, tables);
      return diagnoseGhosts(facts, live.backend, [...notes, ...live.evidence], blind);
    }
    if (!tables.some(({ reading }) => reading.owned.size > 0)) {
      const reason = 'no kubelet runs here and no chain of Kubernetes or its CNI is in any table';
      return withoutFindings('skipped', [reason], notes);
    }
    if (
      tables.some(({ reading }) =>
        [...reading.owned.values()].some(({ owner }) => !owner.startsWith('portmap')),
      )
    ) {
      const reason =
        'no kubelet runs and neither backend has its mark: which backend it will use cannot be told';
      return unknown([reason], notes, tables);
    }
    return diagnoseGhosts(facts, undefined, notes, describeBlindSpots(facts.rulesets));
  },
});

interface Facts {
  readonly tables: readonly ReadTable[];
  readonly components: KubeComponents;
  readonly claims: readonly NatClaims[];
  readonly order: NatOrder;
  readonly endpoints: Endpoints;
  readonly sandboxes: Sandboxes;
  readonly networks: readonly string[];
  readonly connections: Connections;
}

function diagnoseGhosts(
  facts: Facts,
  live: Backend | undefined,
  notes: readonly string[],
  blindSpots: readonly string[],
): Diagnosis {
  const { tables, claims, components, networks } = facts;
  const hostPorts = judgeHostPorts(tables, facts.sandboxes, networks);
  const leftovers = live ? findLeftovers(tables, live, components) : [];
  const unordered = Map.groupBy([...leftovers, ...hostPorts.sets], ({ read }) => read);
  const sets = tables.flatMap((read) => unordered.get(read) ?? []);
  const obstacles = findObstacles(sets);
  const traffic = [
    ...(live ? findServiceGhosts(claims, live, facts) : []),
    ...(live ? findFilterGhosts(tables, claims, live) : []),
    ...findHostPortGhosts(claims, hostPorts.dead, facts),
  ].map((ghost) => ({ ghost, set: setOf(ghost, sets) }));
  const caught = new Set(traffic.map(({ set }) => set));
  const ghosts: Ghost[] = [
    ...traffic.map(({ ghost: { finding, deadFlows }, set }) => ({ finding, set, deadFlows })),
    ...sets.flatMap((set) =>
      findScaffoldGhosts(set, caught.has(set)).map((finding) => ({ finding, set, deadFlows: [] })),
    ),
  ].map((ghost) => ({ ...ghost, finding: withRemedy(ghost.finding, ghost.set, obstacles) }));
  const findings = ghosts.map(({ finding }) => finding).sort(byWeight);
  const reasons = [...hostPorts.undecided, ...blindSpots];
  const orders = families.flatMap((family) => describeOrder(family, facts.order[family]));
  return {
    outcome: findings.length > 0 ? 'findings' : reasons.length > 0 ? 'unknown' : 'ok',
    reasons,
    findings,
    limits: describeLimits(facts.endpoints, facts.connections),
    notes: [...notes, ...orders],
    plan: (mayRepair) => planRepair({ sets, ghosts, live }, mayRepair),
  };
}

function unknown(
  reasons: readonly string[],
  notes: readonly string[],
  tables: readonly ReadTable[],
): Diagnosis {
  const seen = tables
    .filter(({ reading }) => reading.owned.size > 0)
    .map(
      ({ backend, family, table, reading }) => `${backend} ${family} ${table}: ${reading.owned.size} chains`,
    );
  return withoutFindings('unknown', reasons, [...notes, ...seen]);
}

function setOf(ghost: TrafficGhost, sets: readonly GhostSet[]): GhostSet | undefined {
  return sets.find(
    ({ read, sandboxId }) =>
      read.backend === ghost.backend &&
      read.family === ghost.family &&
      read.table === ghost.table &&
      sandboxId === ghost.sandboxId,
  );
}

function withRemedy(
  finding: Omit<Finding, 'remedy'>,
  set: GhostSet | undefined,
  obstacles: ReadonlyMap<GhostSet, readonly string[]>,
): Finding {
  const [obstacle] = set ? (obstacles.get(set) ?? []) : ['it is in no table that could be read'];
  return {
    ...finding,
    remedy: obstacle === undefined ? { kind: 'planned' } : { kind: 'none', reason: obstacle },
  };
}

const weights: readonly Effect[] = ['masks', 'captures', 'may-mask', 'rejects', 'dormant', 'idle'];

/** What hurts most first; the order of the tables otherwise. */
function byWeight(a: Finding, b: Finding): number {
  return weights.indexOf(a.effect) - weights.indexOf(b.effect);
}
