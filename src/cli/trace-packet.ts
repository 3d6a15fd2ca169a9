import { DoctorError } from '../doctor-error.ts';
import { isWithin, parseAddress, parseNetwork } from '../netfilter/walk/addresses.ts';
import { routeTo } from '../netfilter/walk/arrival-links.ts';
import type { Origin, Packet } from '../netfilter/walk/packet.ts';
import type { NetworkReading } from '../netfilter/walk/reading.ts';
import type { TraceInput } from '../report/build-trace.ts';
import { usage } from './read-number.ts';
import type { TraceRequest } from './trace-options.ts';

export interface TracedPacket {
  readonly packet: Packet;
  /** How it is known over which link it arrives. */
  readonly told: TraceInput['told'];
  /** Whether it is sent to an address of this node; undefined: not known. */
  readonly isOwnDestination: boolean | undefined;
  /** What was supposed, a line each. */
  readonly notices: readonly string[];
}

/** Where on the node the packet begins. @throws DoctorError `usage`. */
export function tracePacket(request: TraceRequest, network: NetworkReading): TracedPacket {
  for (const [option, link] of [['--in', request.inLink] as const, ['--out', request.outLink] as const])
    if (link !== undefined) requireLink(option, link, network);
  const isLocal = request.source === undefined || isOwn(request.source, request, network) === true;
  const source = request.source ?? ownSource(request, network);
  const arrival = isLocal ? leave(request) : arrive(request, source, network);
  const { family, destination, transport, state, mark, outLink } = request;
  return {
    packet: {
      family,
      origin: arrival.origin,
      source,
      destination,
      transport,
      state,
      ...(mark !== undefined && { mark }),
      ...(outLink !== undefined && { outLink }),
    },
    told: arrival.told,
    isOwnDestination: isOwn(destination, request, network),
    notices: [...request.notices, ...arrival.notices],
  };
}

function requireLink(option: string, name: string, { links }: NetworkReading): void {
  if (links === undefined || links.some((link) => link.name === name)) return;
  const names = links.map((link) => link.name);
  const shown = names.slice(0, 20).join(', ') + (names.length > 20 ? `, and ${names.length - 20} more` : '');
  throw usage(`${option} ${name}: there is no such link on this node`, `it has ${shown}`);
}

interface Arrival extends Pick<TracedPacket, 'told' | 'notices'> {
  readonly origin: Origin;
}

function leave({ source, inLink, uid }: TraceRequest): Arrival {
  if (inLink !== undefined) {
    throw usage(
      `--in ${inLink} cannot go with --from ${source ?? 'local'}, which is this node itself`,
      'leave --in out: what a process of this node sends arrives over no link',
    );
  }
  return {
    origin: { kind: 'process', ...(uid !== undefined && { uid }) },
    told: 'given',
    notices: [],
  };
}

function arrive(request: TraceRequest, source: string, network: NetworkReading): Arrival {
  const { inLink, uid } = request;
  if (uid !== undefined) {
    throw usage(
      `--uid needs a packet of this node's own, and ${source} is not its address`,
      'use --from local',
    );
  }
  if (inLink !== undefined) {
    return { origin: { kind: 'link', name: inLink }, told: 'given', notices: [] };
  }
  const link = backTo(source, request, network);
  if (link.name !== undefined)
    return { origin: { kind: 'link', name: link.name }, told: 'by-route', notices: [] };
  return {
    origin: { kind: 'link', name: undefined },
    told: 'unknown',
    notices: [`over which link it arrives is not known, as ${link.reason}; say it with --in`],
  };
}

/** The link that the routes have towards an address, as far as it can be told. */
function backTo(
  address: string,
  { family }: TraceRequest,
  network: NetworkReading,
): { readonly name: string } | { readonly name?: undefined; readonly reason: string } {
  const { routes, policyRouting } = network;
  if (routes === undefined) return { reason: 'the routes are not known' };
  if (isLinkLocal(address)) return { reason: `${address} may be on any of them` };
  if (policyRouting) return { reason: 'routes here depend on more than the destination (ip rule)' };
  const link = routeTo(network, family, address)?.link;
  return link === undefined ? { reason: `no route leads to ${address}` } : { name: link };
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/.test(address) || address.startsWith('169.254.');
}

/** An address of a link, or another one that the kernel takes for its own (127.0.0.2). Undefined: not known. */
function isOwn(
  address: string,
  { family }: TraceRequest,
  { links, routes }: NetworkReading,
): boolean | undefined {
  const isOnLink = links?.some((link) => link.addresses.some((own) => own.address === address));
  if (isOnLink || address === '::1' || address.startsWith('127.')) return true;
  if (links === undefined && routes === undefined) return undefined;
  const bytes = parseAddress(address, family);
  return (routes ?? []).some(({ type, family: of, destination }) => {
    const network = type === 'local' && of === family ? parseNetwork(destination, family) : undefined;
    return network !== undefined && bytes !== undefined && isWithin(bytes, network);
  });
}

function ownSource(request: TraceRequest, network: NetworkReading): string {
  const { destination } = request;
  if (isOwn(destination, request, network)) return destination;
  const route = routeTo(network, request.family, destination);
  const link = request.outLink ?? route?.link;
  const addresses = network.links?.find(({ name }) => name === link)?.addresses ?? [];
  const source =
    (link === route?.link ? route?.preferredSource : undefined) ??
    addresses.find(({ family, scope }) => family === request.family && scope === 'global')?.address;
  if (source !== undefined) return source;
  throw new DoctorError('undetermined', `with which address this node sends to ${destination} is not known`, {
    hint: 'name it: --from ADDRESS',
  });
}
