import { printEndpoint } from '../netfilter/service-port.ts';
import type { Packet, Transport } from '../netfilter/walk/packet.ts';
import type { Decision, End, Walk } from '../netfilter/walk/walk.ts';
import type { TraceEnd, TracePacket, TraceReport, TraceService } from './trace-schema.ts';

export interface TraceInput {
  readonly version: string;
  readonly at: Date;
  readonly packet: Packet;
  /** How it is known over which link it arrives; it counts only for one that does. */
  readonly told: Extract<TracePacket['origin'], { kind: 'link' }>['told'];
  readonly walk: Walk;
  readonly services: readonly TraceService[];
  readonly states: { readonly from: string; readonly missing?: string } | undefined;
  readonly notices: readonly string[];
}

export function buildTrace(input: TraceInput): TraceReport {
  const { version, at, packet, walk, services, states, notices } = input;
  return {
    schemaVersion: 1,
    tool: { name: 'k3s-doctor', version },
    at: at.toISOString(),
    exitCode: exitCodes[walk.verdict],
    packet: describePacket(input),
    verdict: walk.verdict,
    ends: walk.ends.map((end) => describeEnd(end, packet, services)),
    services,
    ...(states !== undefined && { statesFrom: states.from }),
    ...(states?.missing !== undefined && { statesMissing: states.missing }),
    notices,
  };
}

/** The meaning of each code is in docs/exit-codes.md. */
const exitCodes = { pass: 0, drop: 1, reject: 1, depends: 1, unknown: 2 } as const;

function describePacket({ packet, told }: TraceInput): TracePacket {
  const { family, source, destination, transport, state, mark = 0, origin, outLink } = packet;
  return {
    family,
    source,
    destination,
    ...describeTransport(transport, family),
    state,
    mark,
    origin:
      origin.kind === 'link'
        ? { kind: 'link', link: origin.name ?? null, told }
        : { kind: 'process', ...(origin.uid !== undefined && { uid: origin.uid }) },
    ...(outLink !== undefined && { outLink }),
  };
}

function describeTransport(transport: Transport, family: Packet['family']) {
  switch (transport.protocol) {
    case 'icmp': {
      const { type, code } = transport;
      return {
        protocol: family === 'ipv6' ? 'icmpv6' : 'icmp',
        ...(type !== undefined && { icmpType: type }),
        ...(code !== undefined && { icmpCode: code }),
      };
    }
    case 'esp':
    case 'ah':
      return {
        protocol: transport.protocol,
        ...(transport.spi !== undefined && { spi: transport.spi }),
      };
    case 'other':
      return { protocol: `${transport.number}` };
    default: {
      const { protocol, sourcePort, destinationPort } = transport;
      return {
        protocol,
        ...(sourcePort !== undefined && { sourcePort }),
        ...(destinationPort !== undefined && { destinationPort }),
        ...('flags' in transport && { tcpFlags: transport.flags }),
      };
    }
  }
}

function describeEnd(end: End, asked: Packet, services: readonly TraceService[]): TraceEnd {
  const { fate, way, decidedBy, path, packet, assumptions } = end;
  const endpoint = end.destinationTranslated ? stateOfTarget(packet, services) : undefined;
  return {
    fate,
    way: way ?? null,
    outLink: packet.outLink ?? null,
    mark: packet.mark ?? 0,
    decidedBy: describeDecision(decidedBy),
    ...(end.destinationTranslated && { destination: change(asked, packet, 'destination') }),
    ...sourceOf(end, asked),
    ...(endpoint !== undefined && { endpoint }),
    assumptions: assumptions.map(({ kind, reason, rule }) => ({ kind, reason, rule })),
    path: path.map(({ hook, action, rule }) => ({ ...(hook !== undefined && { hook }), action, rule })),
  };
}

function describeDecision(decision: Decision): TraceEnd['decidedBy'] {
  switch (decision.kind) {
    case 'rule': {
      const { kind, rule, rejectWith } = decision;
      return { kind, rule, ...(rejectWith !== undefined && { rejectWith }) };
    }
    case 'policy':
      return { kind: 'policy', chain: decision.chain };
    case 'kernel':
      return { kind: 'kernel', reason: decision.reason };
    case 'nothing':
      return { kind: 'nothing' };
  }
}

/** An address may be translated to itself, or to that of a link that is not known. */
function sourceOf({ sourceTranslated, packet, path }: End, asked: Packet): Pick<TraceEnd, 'source'> {
  const source = change(asked, packet, 'source');
  if (!sourceTranslated) return {};
  if (asked.source !== packet.source) return { source };
  const isUnknown = path.some(({ action }) => action === 'from the address of its link out');
  if (isUnknown) return { source: { from: source.from, to: null } };
  return source.from === source.to ? {} : { source };
}

function change(asked: Packet, now: Packet, side: 'source' | 'destination') {
  return { from: printSide(asked, side), to: printSide(now, side) };
}

function printSide(packet: Packet, side: 'source' | 'destination'): string {
  const port = portOf(packet, side);
  return port === undefined ? packet[side] : printEndpoint({ address: packet[side], port });
}

function portOf({ transport }: Packet, side: 'source' | 'destination'): number | undefined {
  if (side === 'source') return 'sourcePort' in transport ? transport.sourcePort : undefined;
  return 'destinationPort' in transport ? transport.destinationPort : undefined;
}

function stateOfTarget(packet: Packet, services: readonly TraceService[]): TraceEnd['endpoint'] {
  const port = portOf(packet, 'destination');
  const known = services
    .flatMap(({ endpoints }) => endpoints)
    .filter((endpoint) => endpoint.address === packet.destination && endpoint.port === port);
  return (known.find(({ state }) => state !== 'unknown') ?? known[0])?.state;
}
