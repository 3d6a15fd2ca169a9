import { isIPv6, SocketAddress } from 'node:net';
import { z } from 'zod';
import { parseJson } from './failure-reasons.ts';
import { describeIssue } from './schema-issue.ts';
import { splitList } from './split-list.ts';

/** All EndpointSlices of the cluster: `namespaces/NAME` is not part of it. */
export const endpointSlicesPath = '/apis/discovery.k8s.io/v1/endpointslices';

/** By `namespace/name` of the service. A service whose slices hold no endpoint has an empty list. */
export type ServiceEndpoints = ReadonlyMap<string, readonly ServiceEndpoint[]>;

export interface ServiceEndpoint {
  /** Empty for the unnamed port of a service with one port. */
  readonly portName: string;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly port: number;
  /** As the kernel prints it: IPv6 lower case and shortened. */
  readonly address: string;
  /** `serving-terminating`: on its way out, used only when no other is ready. */
  readonly state: EndpointState;
}

type EndpointState = 'ready' | 'serving-terminating' | 'not-ready';

export type ParsedEndpointSlices =
  | { readonly kind: 'parsed'; readonly services: ServiceEndpoints }
  /** `reason` names what was expected where, in one line. */
  | { readonly kind: 'malformed'; readonly reason: string };

/**
 * Reads the answer to `endpointSlicesPath`, merging the slices of each service. Gaps are read as
 * kube-proxy reads them (pkg/proxy/endpointslicecache.go): no condition means ready, a port without a
 * number is no port. Slices that belong to no service, and those of host names, are left out. An
 * endpoint that is moving between two slices is in both; its better state counts.
 */
export function parseEndpointSlices(body: string): ParsedEndpointSlices {
  const split = splitList(body);
  if (split === undefined) return { kind: 'malformed', reason: 'not JSON' };
  const list = listSchema().safeParse(split.envelope);
  if (!list.success) return { kind: 'malformed', reason: describeIssue(list.error) };

  const sliceShape = sliceSchema();
  const services = new Map<string, Map<string, ServiceEndpoint>>();
  for (const [index, text] of split.items.entries()) {
    const json = parseJson(text);
    if (json === undefined) return { kind: 'malformed', reason: `items[${index}]: not JSON` };
    const parsed = sliceShape.safeParse(json);
    if (!parsed.success) return { kind: 'malformed', reason: describeIssue(parsed.error, ['items', index]) };
    const slice = parsed.data;
    const service = slice.metadata.labels?.[serviceLabel];
    if (!service || slice.addressType === 'FQDN') continue;
    const name = `${slice.metadata.namespace}/${service}`;
    const known = services.get(name) ?? new Map<string, ServiceEndpoint>();
    services.set(name, known);
    for (const endpoint of endpointsOf(slice)) addBetter(known, endpoint);
  }
  return {
    kind: 'parsed',
    services: new Map([...services].map(([name, found]) => [name, [...found.values()]])),
  };
}

const serviceLabel = 'kubernetes.io/service-name';

const states = ['ready', 'serving-terminating', 'not-ready'] as const;

function addBetter(known: Map<string, ServiceEndpoint>, endpoint: ServiceEndpoint): void {
  const { portName, protocol, address, port } = endpoint;
  const key = `${portName} ${protocol} ${address} ${port}`;
  const present = known.get(key);
  if (present !== undefined && states.indexOf(present.state) <= states.indexOf(endpoint.state)) return;
  known.set(key, endpoint);
}

function endpointsOf(slice: Slice): readonly ServiceEndpoint[] {
  const found: ServiceEndpoint[] = [];
  for (const { name, protocol, port } of slice.ports ?? []) {
    if (port === undefined || port === null || port === 0) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const state = stateOf(endpoint.conditions ?? {});
      for (const address of endpoint.addresses) {
        found.push({
          portName: name ?? '',
          protocol: protocols[protocol ?? 'TCP'],
          port,
          address: slice.addressType === 'IPv6' ? shortened(address) : address,
          state,
        });
      }
    }
  }
  return found;
}

const protocols = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const;

function stateOf(conditions: Conditions): EndpointState {
  if (conditions.ready ?? true) return 'ready';
  return conditions.terminating && (conditions.serving ?? true) ? 'serving-terminating' : 'not-ready';
}

/** Slices made by hand may spell an IPv6 address in any way. */
function shortened(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}

type Slice = z.infer<ReturnType<typeof sliceSchema>>;
type Conditions = z.infer<ReturnType<typeof conditionsSchema>>;

// Schemas are made when they are needed: at module level every start of the product would pay for them.
/** Of the list without its elements. */
function listSchema() {
  return z.object({
    kind: z.enum(['EndpointSliceList', 'List']),
    items: z.array(z.never()).nullable(),
  });
}

/** Every field that Go may leave out it may also print as null. */
function sliceSchema() {
  const endpoint = z.object({
    addresses: z.array(z.string()),
    conditions: conditionsSchema().nullish(),
  });
  const port = z.object({
    name: z.string().nullish(),
    protocol: z.enum(['TCP', 'UDP', 'SCTP']).nullish(),
    port: z.number().nullish(),
  });
  return z.object({
    kind: z.literal('EndpointSlice').optional(),
    metadata: z.object({
      namespace: z.string().min(1),
      labels: z.object({ [serviceLabel]: z.string().nullish() }).nullish(),
    }),
    addressType: z.enum(['IPv4', 'IPv6', 'FQDN']),
    endpoints: z.array(endpoint).nullish(),
    ports: z.array(port).nullish(),
  });
}

function conditionsSchema() {
  const condition = z.boolean().nullish();
  return z.object({ ready: condition, serving: condition, terminating: condition });
}
