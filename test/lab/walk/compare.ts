import type { Packet } from '../../../src/netfilter/walk/packet.ts';
import type { End, Walk } from '../../../src/netfilter/walk/walk.ts';
import { sameSpelling } from './parse-address.ts';
import type { Probe } from './probe.ts';
import type { Seen, Sighting } from './sightings.ts';

/** What a walk got wrong about a packet that was really sent; undefined: nothing. */
export function findDisagreement(walk: Walk, probe: Probe, sighting: Sighting): string | undefined {
  const verdicts = verdictsOf(walk);
  if (!verdicts.includes(walk.verdict))
    return `verdict ${walk.verdict}, but its ends say ${verdicts.join(' or ')}`;
  const faults = walk.ends.map((end) => findFault(end, probe, sighting));
  return faults.some((fault) => fault === undefined) ? undefined : faults.join(' / ') || 'no end at all';
}

function verdictsOf({ ends }: Walk): readonly Walk['verdict'][] {
  const fates = new Set(ends.map(({ fate }) => fate));
  const [only] = fates;
  if (fates.size === 1 && only !== undefined) return [only];
  return fates.has('pass') ? ['depends', 'unknown'] : ['drop', 'reject'];
}

function findFault(end: End, { packet }: Probe, { fate, at }: Sighting): string | undefined {
  switch (end.fate) {
    case 'drop':
      // Where there is no way the kernel says so, most of the time.
      if (end.decidedBy.kind === 'kernel' && fate === 'rejected') return undefined;
      return fate === 'lost' ? undefined : `drop, but it is ${fate}`;
    case 'reject':
      return findRejectFault(end, packet, fate);
    case 'pass': {
      if (at === undefined || fate === 'vanished') return `pass, but it is ${fate}`;
      if ((end.way === 'in') !== (fate === 'in')) return `pass ${end.way}, but it went ${fate}`;
      return findDifference(end, at);
    }
  }
}

function findRejectFault(
  { decidedBy, sourceTranslated }: End,
  packet: Packet,
  fate: Sighting['fate'],
): string | undefined {
  const kind = decidedBy.kind === 'rule' ? (decidedBy.rejectWith ?? '') : '';
  const expected = /reset|rst/.test(kind) ? 'reset' : 'rejected';
  // Of such errors the kernel sends a few to each, and a process of its own is told by its call.
  if (fate === 'lost' && decidedBy.kind === 'kernel') return undefined;
  // From another port it cannot be told whose error it was.
  if (fate === 'lost' && packet.origin.kind === 'process' && sourceTranslated) return undefined;
  if (fate === expected || (fate === 'lost' && !mayBeAnswered(packet))) return undefined;
  return `reject with ${kind}, but it is ${fate}`;
}

/** No error is sent for an error, nor for what is meant for all. */
function mayBeAnswered({ transport, destination, family, source }: Packet): boolean {
  if (transport.protocol === 'tcp' && transport.flags?.includes('RST')) return false;
  if (transport.protocol === 'icmp') {
    const type = transport.type ?? 0;
    if (family === 'ipv4' ? [3, 4, 5, 11, 12].includes(type) : type < 128) return false;
  }
  return !/^(22[4-9]|23\d|255)\.|\.255$|^ff/.test(destination) && source !== '';
}

function findDifference({ packet, way }: End, at: Seen): string | undefined {
  const { transport } = packet;
  const link =
    way === 'in' ? (packet.origin.kind === 'link' ? packet.origin.name : undefined) : packet.outLink;
  const pairs: readonly (readonly [what: string, walked: unknown, seen: unknown])[] = [
    ['destination', sameSpelling(packet.destination), sameSpelling(at.destination)],
    ['source', sameSpelling(packet.source), sameSpelling(at.source)],
    ['mark', packet.mark ?? 0, at.mark],
    ['link', link, at.link],
    ...('sourcePort' in transport ? ([['source port', transport.sourcePort, at.sourcePort]] as const) : []),
    ...('destinationPort' in transport
      ? ([['destination port', transport.destinationPort, at.destinationPort]] as const)
      : []),
  ];
  const wrong = pairs.find(([, walked, seen]) => walked !== undefined && walked !== seen);
  return wrong && `pass, but ${wrong[0]} ${wrong[1]} is ${wrong[2]}`;
}
