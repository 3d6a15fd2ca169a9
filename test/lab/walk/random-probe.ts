/** Random packets to, from and through the node. */
import type { Family } from '../../../src/netfilter/ruleset.ts';
import type { ConnectionState, Packet, Transport } from '../../../src/netfilter/walk/packet.ts';
import { buildFrame, buildIp } from './build-frame.ts';
import { checksumIcmp } from './build-transport.ts';
import { madeHere } from './made-here.ts';
import { wireMac } from './network-script.ts';
import type { Frame, Probe, Send } from './probe.ts';
import type { Random } from './random.ts';
import { randomTransport } from './random-transport.ts';
import {
  isForAll,
  isOwnAddress,
  type Place,
  placeOf,
  randomDestination,
  randomSource,
} from './random-way.ts';
import { frameNumber } from './watch.ts';
import { linkOf, marks, oddAddresses, ports, wires } from './world.ts';

/** What packets are aimed at besides the usual, so that they meet the rules. */
export interface Targets {
  readonly addresses: Readonly<Record<Family, readonly string[]>>;
  readonly sources: Readonly<Record<Family, readonly string[]>>;
  readonly ports: readonly number[];
  /** Addresses with the port that is asked for there. */
  readonly flows: Readonly<Record<Family, readonly Flow[]>>;
  /** More addresses of the node itself. */
  readonly own: Readonly<Record<Family, readonly string[]>>;
}

export interface Flow {
  readonly address: string;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

/** No two packets of one namespace may be taken for each other. */
export interface Numbers {
  frame: number;
  port: number;
  markedPort: number;
}

export interface ProbeOptions {
  readonly random: Random;
  readonly numbers: Numbers;
  readonly targets: Targets;
  readonly families: readonly Family[];
  /** What there may be once only. */
  readonly taken: Set<string>;
}

export function randomProbe(options: ProbeOptions): Probe {
  const { random } = options;
  for (;;) {
    const family = random.pick(options.families);
    const probe = random.chance(0.2) ? madeHere(options, family) : arriving(options, family);
    if (probe) return probe;
  }
}

/** Undefined where what was drawn cannot be had. */
function arriving(options: ProbeOptions, family: Family): Probe | undefined {
  const { random, numbers } = options;
  const state = random.weighted<ConnectionState>([
    [62, () => 'NEW'],
    [24, () => 'ESTABLISHED'],
    [5, () => 'RELATED'],
    [7, () => 'INVALID'],
    [family === 'ipv6' ? 2 : 0, () => 'UNTRACKED'],
  ]);
  const from = randomSource(options, family);
  const flow = randomFlow(options, family);
  const to = flow ? placeOf(flow.address) : randomDestination(options, family);
  const transport =
    flow && state !== 'INVALID' && state !== 'UNTRACKED'
      ? transportOf(flow, random)
      : randomTransport(options, family, state);
  if (transport === undefined || from.address === to.address) return undefined;
  const isOwn = isOwnAddress(options, family, to.address);
  const draft: Draft = {
    packet: {
      family,
      origin: { kind: 'link', name: linkOf(from.wire) },
      source: from.address,
      destination: to.address,
      transport,
      state,
    },
    from,
    to,
    own: numbers.frame,
    mark: randomMark(random),
    connectionMark: randomMark(random),
    isOwn,
    isReply: random.chance(0.5),
  };
  if (isForAll(to.address) && (state !== 'NEW' || transport.protocol !== 'udp')) return undefined;
  // A bridge hands it on to its other ports as well.
  if (isForAll(to.address) && linkOf(from.wire) === 'cni0') return undefined;
  const probe = withState(draft);
  if (probe) numbers.frame++;
  return probe;
}

/** Half of the packets go where they are asked for, if that is known. */
export function randomFlow({ random, targets }: ProbeOptions, family: Family): Flow | undefined {
  const flows = targets.flows[family];
  return flows.length > 0 && random.chance(0.5) ? random.pick(flows) : undefined;
}

function transportOf({ protocol, port }: Flow, random: Random): Transport {
  return { protocol, sourcePort: 1024 + random.below(58_000), destinationPort: port };
}

function randomMark(random: Random): number {
  return random.chance(0.75) ? 0 : random.pick(marks);
}

interface Draft {
  readonly packet: Packet;
  readonly from: Place;
  readonly to: Place;
  readonly own: number;
  readonly mark: number;
  readonly connectionMark: number;
  readonly isOwn: boolean;
  readonly isReply: boolean;
}

function withState(draft: Draft): Probe | undefined {
  const { packet, from, to, own, mark, isOwn } = draft;
  const marked = { ...packet, ...(mark === 0 ? {} : { mark }) };
  const number = frameNumber(own, mark);
  if (packet.state === 'NEW' || packet.state === 'INVALID' || packet.state === 'UNTRACKED') {
    return probeOf(marked, number, frameOf(marked, number, from), []);
  }
  // Nobody is where no route leads to.
  if (oddAddresses[packet.family].some((odd) => odd === to.address)) return undefined;
  // Somebody there answers on these.
  if (isOwn && (packet.state === 'RELATED' || !isServed(packet.transport))) return undefined;
  const known: Packet = {
    ...marked,
    ...(draft.connectionMark === 0 ? {} : { connectionMark: draft.connectionMark }),
  };
  const begin: Packet = { ...packet, state: 'NEW', transport: beginning(packet.transport) };
  const exchange = [frameOf(begin, frameNumber(own, draft.connectionMark), from)];
  const back = turned(begin, to);
  if (!isOwn) exchange.push(frameOf({ ...back, transport: answer(begin) }, frameNumber(own, 0), to));
  if (packet.state === 'RELATED') {
    const related: Packet = { ...known, ...turned(known, to), transport: unreachable(packet.family) };
    const payload = checksumIcmp(related, errorPayload(related.transport, buildIp(begin, { number: own })));
    return probeOf(related, number, frameOf(related, number, to, payload), exchange);
  }
  if (isOwn || !draft.isReply) return probeOf(known, number, frameOf(known, number, from), exchange);
  const reply: Packet = { ...known, ...turned(known, to), transport: goingBack(known) };
  return probeOf(reply, number, frameOf(reply, number, to), exchange);
}

function probeOf(packet: Packet, number: number, frame: Frame, before: readonly Frame[]): Probe {
  const send = (each: Frame): Send => ({ kind: 'frame', frame: each });
  return { packet, number, before: before.map(send), send: send(frame) };
}

/** A packet as it comes from there. */
export function frameOf(packet: Packet, number: number, from: Place, payload?: Uint8Array): Frame {
  const frame = buildFrame(packet, {
    number,
    sourceMac: from.mac,
    destinationMac: macFor(packet.destination, from),
    ...(payload === undefined ? {} : { payload }),
  });
  return [wires[from.wire], Buffer.from(frame).toString('base64')];
}

function macFor(destination: string, { wire }: Place): string {
  if (destination === '224.0.0.1') return '01:00:5e:00:00:01';
  if (destination === 'ff02::1') return '33:33:00:00:00:01';
  if (isForAll(destination)) return 'ff:ff:ff:ff:ff:ff';
  return wireMac(wire.startsWith('veth') ? 9 : wires[wire]);
}

function isServed(transport: Transport): boolean {
  if (transport.protocol === 'icmp') return true;
  if (transport.protocol !== 'tcp' && transport.protocol !== 'udp') return false;
  return ports.includes(transport.destinationPort ?? 0);
}

function turned(
  packet: Packet,
  to: Place,
): Pick<Packet, 'source' | 'destination' | 'origin' | 'family' | 'state'> {
  const { family, state, source, destination } = packet;
  return {
    family,
    state,
    source: destination,
    destination: source,
    origin: { kind: 'link', name: linkOf(to.wire) },
  };
}

function beginning(transport: Transport): Transport {
  return transport.protocol === 'tcp' ? { ...transport, flags: ['SYN'] } : transport;
}

/** The other side's first packet. */
export function answer(packet: Packet): Transport {
  const transport = goingBack(packet);
  return transport.protocol === 'tcp' ? { ...transport, flags: ['SYN', 'ACK'] } : transport;
}

function goingBack({ family, transport }: Packet): Transport {
  if (transport.protocol === 'icmp') return { ...transport, type: family === 'ipv4' ? 0 : 129 };
  if (!('sourcePort' in transport)) return transport;
  const { sourcePort = 0, destinationPort = 0 } = transport;
  return { ...transport, sourcePort: destinationPort, destinationPort: sourcePort };
}

function unreachable(family: Family): Transport {
  return { protocol: 'icmp', ...(family === 'ipv4' ? { type: 3, code: 1 } : { type: 1, code: 3 }) };
}

function errorPayload(transport: Transport, inner: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  if (transport.protocol === 'icmp') header.set([transport.type ?? 0, transport.code ?? 0]);
  return Buffer.concat([header, inner]);
}
