/**
 * iptables-ghosts: chains and rules that kube-proxy, the CNI or the network policy controller left
 * behind, which still catch traffic. Everything here is a pure function of facts.
 */
import { type Check, type Diagnosis, defineCheck } from '../../engine/check.ts';
import type { Finding } from '../../engine/finding.ts';
import { type KubeComponents, kubeComponentsFact } from '../../facts/kube-components.ts';
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
import { findHostPortGhosts } from './host-port-ghosts.ts';
import { findLeftovers } from './leftovers.ts';
import { decideLiveBackend } from './live-backend.ts';
import { conntrackSteps } from './remedy.ts';
import { removalStep, removalsByTable, type TableRemoval } from './removals.ts';
import { findScaffoldGhosts } from './scaffold-ghosts.ts';
import { findServiceGhosts, type TrafficGhost } from './service-ghosts.ts';
import { describeBackends, describeBlindSpots, describeOrder } from './survey.ts';

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
    claims: natClaimsFact,
    order: natOrderFact,
    endpoints: serviceEndpointsFact,
    sandboxes: sandboxesFact,
    networks: cniNetworksFact,
  },
  diagnose(facts) {
    const { tables, components } = facts;
    const notes = describeBackends(facts.rulesets);
    const live = decideLiveBackend(tables, components);
    if (live.kind === 'unknown') return unknown([live.reason], notes, tables);
    if (live.kind === 'live') {
      const blind = describeBlindSpots(facts.rulesets);
      const contradiction = contradictEndpoints(facts.claims, live.backend, facts);
      if (contradiction !== undefined) return unknown([contradiction], notes, tables);
      return diagnoseGhosts(facts, live.backend, [...notes, ...live.evidence], blind);
    }
    if (!tables.some(({ reading }) => reading.owned.size > 0)) {
      const reason = 'no kubelet runs here and no chain of Kubernetes or its CNI is in any table';
      return { outcome: 'skipped', reasons: [reason], findings: [], limits: [], notes, steps: [] };
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
  const removals = removalsByTable([...leftovers, ...hostPorts.ghosts]);
  const traffic = [
    ...(live ? findServiceGhosts(claims, live, facts) : []),
    ...(live ? findFilterGhosts(tables, claims, live) : []),
    ...findHostPortGhosts(claims, hostPorts.dead, facts),
  ];
  const findings = [
    ...traffic.map((ghost) => withRemedy(ghost.finding, removalFor(ghost, removals))),
    ...removals.flatMap((removal) =>
      findScaffoldGhosts(removal).map((finding) => withRemedy(finding, removal)),
    ),
  ].sort(byWeight);
  const free = removals.filter(({ obstacles }) => obstacles.length === 0);
  const reasons = [...hostPorts.undecided, ...blindSpots];
  const orders = families.flatMap((family) => describeOrder(family, facts.order[family]));
  const api =
    facts.endpoints.kind === 'unavailable' ? [`the API was not read: ${facts.endpoints.reason}`] : [];
  return {
    outcome: findings.length > 0 ? 'findings' : reasons.length > 0 ? 'unknown' : 'ok',
    reasons,
    findings,
    limits: api,
    notes: [...notes, ...orders],
    steps: [
      ...free.map((removal) => removalStep(removal, live)),
      ...conntrackSteps(
        traffic.filter((ghost) => free.some((removal) => removal === removalFor(ghost, removals))),
      ),
    ],
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
  return { outcome: 'unknown', reasons, findings: [], limits: [], notes: [...notes, ...seen], steps: [] };
}

function removalFor(ghost: TrafficGhost, removals: readonly TableRemoval[]): TableRemoval | undefined {
  return removals.find(
    ({ read }) =>
      read.backend === ghost.backend && read.family === ghost.family && read.table === ghost.table,
  );
}

function withRemedy(finding: Omit<Finding, 'remedy'>, removal: TableRemoval | undefined): Finding {
  const [obstacle] = removal?.obstacles ?? ['it is in no table that could be read'];
  return {
    ...finding,
    remedy: obstacle === undefined ? { kind: 'planned' } : { kind: 'none', reason: obstacle },
  };
}

const weights = ['masks', 'captures', 'may-mask', 'rejects', 'dormant', 'idle'] as const;

/** What hurts most first; the order of the tables otherwise. */
function byWeight(a: Finding, b: Finding): number {
  return weights.indexOf(a.effect) - weights.indexOf(b.effect);
}
