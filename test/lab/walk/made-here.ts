import type { Family } from '../../../src/netfilter/ruleset.ts';
import type { Packet, Transport } from '../../../src/netfilter/walk/packet.ts';
import type { Order, Probe } from './probe.ts';
import { answer, frameOf, type ProbeOptions, randomFlow } from './random-probe.ts';
import { isForAll, isOwnAddress, ownAddress, type Place, placeOf, randomDestination } from './random-way.ts';
import { frameNumber, markedPorts } from './watch.ts';
import { linkOf, nodeAddresses, oddAddresses, owners, ports } from './world.ts';

/** A packet that a process of the node sends. Undefined where what was drawn cannot be had. */
export function madeHere(options: ProbeOptions, family: Family): Probe | undefined {
  const { random, numbers, targets } = options;
  const loopback = family === 'ipv4' ? '127.0.0.1' : '::1';
  const flow = randomFlow(options, family);
  const to = flow
    ? placeOf(flow.address)
    : random.chance(0.08)
      ? { ...placeOf(loopback), address: loopback }
      : randomDestination(options, family);
  if (isForAll(to.address)) return undefined;
  const isOwn = to.address === loopback || isOwnAddress(options, family, to.address);
  const isMarked = random.chance(0.15);
  const sourcePort = isMarked ? numbers.markedPort++ : numbers.port++;
  const owner = random.below(owners.length);
  const protocol = flow?.protocol ?? random.pick(['tcp', 'udp'] as const);
  const transport = {
    protocol,
    sourcePort,
    destinationPort: flow?.port ?? random.pick([...ports, ...targets.ports]),
  };
  const packet: Packet = {
    family,
    origin: { kind: 'process', ...owners[owner] },
    source: sourceFor(options, family, to, { isOwn, loopback }),
    destination: to.address,
    transport,
    state: 'NEW',
    ...(isMarked ? { mark: markedPorts.mark } : {}),
  };
  const send = { kind: 'made', owner, order: orderOf(packet, transport) } as const;
  const isOdd = oddAddresses[family].some((odd) => odd === to.address);
  if (isOwn || isOdd || protocol === 'tcp' || random.chance(0.6))
    return { packet, number: sourcePort, before: [], send };
  if (random.chance(0.5)) {
    // It goes on in a connection of its own.
    const reply = replyTo(packet, to);
    const back = { kind: 'frame', frame: frameOf(reply, frameNumber(numbers.frame++, 0), to) } as const;
    return { packet: { ...packet, state: 'ESTABLISHED' }, number: sourcePort, before: [send, back], send };
  }
  // It answers: somebody else began.
  const asked = { ...transport, destinationPort: 1024 + random.below(58_000) };
  const answerPacket: Packet = { ...packet, transport: asked, state: 'ESTABLISHED' };
  const question = frameOf(replyTo(answerPacket, to), frameNumber(numbers.frame++, 0), to);
  return {
    packet: answerPacket,
    number: asked.destinationPort,
    before: [{ kind: 'frame', frame: question }],
    send: { kind: 'made', owner, order: orderOf(answerPacket, asked), isAnswer: true },
  };
}

function sourceFor(
  options: ProbeOptions,
  family: Family,
  { wire, address }: Place,
  { isOwn, loopback }: { isOwn: boolean; loopback: string },
): string {
  if (address === loopback) return loopback;
  if (isOwn) return options.random.chance(0.6) ? address : ownAddress(options, family);
  const link = linkOf(wire);
  const natural = Object.entries(nodeAddresses[family]).find(([name]) => name === link)?.[1];
  if (natural === undefined || options.random.chance(0.15)) return ownAddress(options, family);
  return natural;
}

function orderOf(
  packet: Packet,
  { protocol, sourcePort, destinationPort }: Omit<Order, 'source' | 'destination'>,
): Order {
  return { protocol, source: packet.source, sourcePort, destination: packet.destination, destinationPort };
}

function replyTo(packet: Packet, from: Place): Packet {
  return {
    ...packet,
    source: packet.destination,
    destination: packet.source,
    origin: { kind: 'link', name: linkOf(from.wire) },
    transport: answer(packet) as Transport,
  };
}
