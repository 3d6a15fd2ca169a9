import { DoctorError } from '../doctor-error.ts';
import type { FactContext } from '../engine/fact.ts';
import { isServiceClaim, liveServices, stateOf } from '../facts/endpoint-state.ts';
import { kubeComponentsFact } from '../facts/kube-components.ts';
import { liveBackendFact } from '../facts/live-backend.ts';
import { type NatClaims, natClaimsFact } from '../facts/nat-claims.ts';
import { natOrderFact } from '../facts/nat-order.ts';
import { cniNetworksFact, type Sandboxes, sandboxesFact, sandboxState } from '../facts/sandboxes.ts';
import { type Endpoints, endpointSlicesFact } from '../facts/service-endpoints.ts';
import { type ReadTable, tableReadingsFact } from '../facts/table-readings.ts';
import type { Claim } from '../netfilter/claims.ts';
import type { Backend, Family } from '../netfilter/ruleset.ts';
import type { TraceInput } from '../report/build-trace.ts';
import type { TraceService } from '../report/trace-schema.ts';

/** What a packet is sent to. */
export interface Target {
  readonly family: Family;
  readonly protocol: string;
  readonly address: string;
  /** Undefined: not known, or it has none. */
  readonly port: number | undefined;
  /** An address of this node, at which host ports and node ports are asked for. Undefined: not known. */
  readonly isOwn: boolean | undefined;
}

export interface TraceServices {
  readonly services: readonly TraceService[];
  /** How it is known which endpoints are live; undefined where nobody claims the target. */
  readonly states: TraceInput['states'];
  /** What could not be learned, a line each. */
  readonly notices: readonly string[];
}

/**
 * Who claims the target in the nat tables of iptables, each backend for itself, and which of the endpoints
 * there are live. The API and the container runtime are asked only if anybody does. What cannot be learned
 * takes nothing from the walk.
 */
export async function traceServices(
  context: FactContext,
  target: Target,
  natFirst: Backend | undefined,
): Promise<TraceServices> {
  try {
    return await findServices(context, target, natFirst);
  } catch (error) {
    if (!(error instanceof DoctorError) || error.code !== 'undetermined') throw error;
    const notice = `which Service or host port it is sent to is not known: ${error.message}`;
    return { services: [], states: undefined, notices: [notice] };
  }
}

/** A recording is worth more if other packets can be traced on it, too: asks what any of them may need. */
export async function askForAllTargets({ get }: FactContext): Promise<void> {
  try {
    const claims = (await get(natClaimsFact)).flatMap((nat) => nat.claims);
    if (claims.some(isServiceClaim)) await get(endpointSlicesFact);
    if (claims.length > 0) await Promise.all([get(sandboxesFact), get(liveBackendFact)]);
  } catch (error) {
    if (!(error instanceof DoctorError)) throw error;
  }
}

async function findServices(
  context: FactContext,
  target: Target,
  natFirst: Backend | undefined,
): Promise<TraceServices> {
  const all = await context.get(natClaimsFact);
  const found = all
    .filter(({ family }) => family === target.family)
    .map(({ backend, claims }) => ({ backend, claims: claims.filter((claim) => fits(claim, target)) }))
    .filter(({ claims }) => claims.length > 0);
  if (found.length === 0) return { services: [], states: undefined, notices: [] };
  const states = await endpointStates(context, all, target.family, found);
  const services = found.flatMap(({ backend, claims }) => {
    const asked =
      found.length === 1
        ? 'alone'
        : natFirst === undefined
          ? 'unknown'
          : natFirst === backend
            ? 'first'
            : 'second';
    return claims.map(
      (claim, i): TraceService => ({
        backend,
        asked,
        kind: isServiceClaim(claim) ? 'service' : 'host-port',
        name: claim.servicePort ?? states.podOf(claim),
        address: claim.address ?? null,
        port: claim.port,
        protocol: claim.protocol,
        chain: claim.chain,
        isShadowed: !isServiceClaim(claim) && claims.slice(0, i).some((other) => !isServiceClaim(other)),
        endpoints: claim.targets.map((endpoint) => ({
          ...endpoint,
          state: states.stateOf(endpoint, claim),
        })),
      }),
    );
  });
  const notices = found.length > 1 && natFirst === undefined ? await whyNoOrder(context, target.family) : [];
  return { services, states: states.told, notices };
}

async function whyNoOrder({ get }: FactContext, family: Family): Promise<string[]> {
  const order = (await get(natOrderFact))[family];
  return order.kind === 'unknown'
    ? [`whose nat table is asked first is not known, so both orders were walked: ${order.reason}`]
    : [];
}

function fits({ protocol, address, port }: Claim, target: Target): boolean {
  if (protocol !== target.protocol || port !== target.port) return false;
  return address === undefined ? target.isOwn !== false : address === target.address;
}

interface EndpointStates {
  stateOf(endpoint: Claim['targets'][number], claim: Claim): TraceService['endpoints'][number]['state'];
  /** `namespace/name`. */
  podOf(claim: Claim): string | null;
  readonly told: NonNullable<TraceInput['states']>;
}

async function endpointStates(
  { get }: FactContext,
  all: readonly NatClaims[],
  family: Family,
  found: readonly Pick<NatClaims, 'claims'>[],
): Promise<EndpointStates> {
  const claims = found.flatMap((nat) => nat.claims);
  const hasServices = claims.some(isServiceClaim);
  const hasHostPorts = !claims.every(isServiceClaim);
  const [endpoints, sandboxes, networks, tables] = await Promise.all([
    hasServices ? get(endpointSlicesFact) : ({ kind: 'not-needed' } as const),
    hasHostPorts ? get(sandboxesFact) : ({ kind: 'not-needed' } as const),
    get(cniNetworksFact),
    get(tableReadingsFact),
  ]);
  const live = await get(liveBackendFact);
  // A kube-proxy of its own may write to another backend than the one that kubelet marks.
  const isSure = live.kind === 'live' && !(await get(kubeComponentsFact)).separateKubeProxy;
  const rules = liveServices(all, isSure ? live.backend : undefined, family);
  const ours = new Set(ourSandboxes(tables, networks));
  return {
    stateOf(endpoint, claim) {
      if (claim.sandboxId !== undefined) {
        const state = ours.has(claim.sandboxId) ? sandboxState(sandboxes, claim.sandboxId) : 'unknown';
        return state === 'held' ? 'not-ready' : state;
      }
      return stateOf(endpoint, claim, {
        endpoints,
        liveTargets: rules.targetsOf(claim),
        liveRulesKnown: rules.known,
      });
    },
    podOf({ sandboxId }) {
      if (sandboxId === undefined || sandboxes.kind !== 'known') return null;
      const pod = sandboxes.ready.get(sandboxId) ?? sandboxes.notReady.get(sandboxId);
      return pod ? `${pod.namespace}/${pod.name}` : null;
    },
    told: tellStates(endpoints, sandboxes, isSure && rules.known ? live.backend : undefined),
  };
}

/** Those of other networks are of another container runtime, which was not asked. */
function ourSandboxes(tables: readonly ReadTable[], networks: readonly string[]): string[] {
  return tables.flatMap(({ reading }) =>
    reading.hostPorts.flatMap(({ network, sandboxId }) => (networks.includes(network) ? [sandboxId] : [])),
  );
}

/** How the states are known, and why not better. Who was not needed was not asked. */
function tellStates(
  endpoints: Endpoints,
  sandboxes: Sandboxes,
  live: Backend | undefined,
): NonNullable<TraceInput['states']> {
  const rules = live === undefined ? 'not known' : `by what iptables-${live}, the live backend, says`;
  const from = [
    ...(endpoints.kind === 'known' ? [`by the EndpointSlices of ${endpoints.source}`] : []),
    ...(endpoints.kind === 'unavailable' ? [rules] : []),
    ...(sandboxes.kind === 'known' ? ['by the sandboxes that the container runtime runs'] : []),
    ...(sandboxes.kind === 'unavailable' ? ['not known for host ports'] : []),
  ];
  const missing = [
    ...(endpoints.kind === 'unavailable' ? [`the API was not read: ${endpoints.reason}`] : []),
    ...(sandboxes.kind === 'unavailable' ? [sandboxes.reason] : []),
  ];
  return { from: from.join('; '), ...(missing.length > 0 && { missing: missing.join('; ') }) };
}
