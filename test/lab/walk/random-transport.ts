import type { Family } from '../../../src/netfilter/ruleset.ts';
import type { ConnectionState, TcpFlag, Transport } from '../../../src/netfilter/walk/packet.ts';
import type { ProbeOptions } from './random-probe.ts';
import { ports } from './world.ts';

/** Something that can be in that state. Undefined: drawn what was sent before; draw again. */
export function randomTransport(
  options: ProbeOptions,
  family: Family,
  state: ConnectionState,
): Transport | undefined {
  const { random } = options;
  switch (state) {
    case 'NEW':
      return random.weighted<Transport | undefined>([
        [
          40,
          () => ({ protocol: 'tcp', ...randomPorts(options), ...random.pick<{ flags?: TcpFlag[] }>(begins) }),
        ],
        [36, () => ({ protocol: 'udp', ...randomPorts(options) })],
        [12, () => echo(family)],
        [3, () => ({ protocol: 'sctp', ...randomPorts(options) })],
        [8, () => portless(options, family)],
      ]);
    case 'ESTABLISHED':
      return random.weighted<Transport | undefined>([
        [40, () => ({ protocol: 'tcp', ...randomPorts(options), ...random.pick(goesOn) })],
        [36, () => ({ protocol: 'udp', ...randomPorts(options) })],
        [12, () => echo(family)],
        [4, () => portless(options, family)],
      ]);
    case 'RELATED':
      return random.weighted<Transport | undefined>([
        [40, () => ({ protocol: 'tcp', ...randomPorts(options) })],
        [36, () => ({ protocol: 'udp', ...randomPorts(options) })],
        [12, () => echo(family)],
      ]);
    case 'INVALID':
      return random.weighted<Transport>([
        [60, () => ({ protocol: 'tcp', ...randomPorts(options), flags: random.pick(senseless) })],
        [15, () => ({ protocol: 'icmp', type: family === 'ipv4' ? 0 : 129, code: 0 })],
        [
          15,
          () => ({ protocol: 'icmp', ...(family === 'ipv4' ? { type: 11, code: 0 } : { type: 3, code: 0 }) }),
        ],
      ]);
    case 'UNTRACKED':
      return { protocol: 'icmp', type: 135, code: 0 };
  }
}

const begins: readonly { flags?: TcpFlag[] }[] = [
  {},
  {},
  {},
  {},
  { flags: ['SYN'] },
  // Picked up in the middle.
  { flags: ['ACK'] },
  { flags: ['PSH', 'ACK'] },
];

const goesOn: readonly { flags?: TcpFlag[] }[] = [{}, { flags: ['PSH', 'ACK'] }, { flags: ['FIN', 'ACK'] }];

const senseless: readonly TcpFlag[][] = [
  ['SYN', 'ACK'],
  ['RST'],
  ['FIN'],
  ['SYN', 'FIN'],
  ['RST', 'ACK'],
  [],
];

function randomPorts({ random, targets }: ProbeOptions): { sourcePort: number; destinationPort: number } {
  return {
    sourcePort: 1024 + random.below(58_000),
    destinationPort: random.weighted([
      [targets.ports.length > 0 ? 100 : 0, () => random.pick(targets.ports)],
      [80, () => random.pick(ports)],
      [10, () => random.pick(ports) + 1],
      [10, () => 1 + random.below(65_000)],
    ]),
  };
}

function echo(family: Family): Transport {
  return { protocol: 'icmp', type: family === 'ipv4' ? 8 : 128, code: 0 };
}

/**
 * A connection of these is a pair of addresses and nothing else: translated to the same pair, two of
 * them would get into each other's way. So each protocol is there once.
 */
function portless({ random, taken }: ProbeOptions, family: Family): Transport | undefined {
  const spi = random.pick([1, 255, 256, 1000, 0x12345678, 0xfffffffe]);
  const transport = random.pick<Transport>([
    { protocol: 'esp', spi },
    { protocol: 'esp', spi },
    // An extension header in IPv6, which hides what follows.
    ...(family === 'ipv4' ? [{ protocol: 'ah', spi } as const] : []),
    ...[2, 4, 47, 89, 112].map((number) => ({ protocol: 'other', number }) as const),
  ]);
  const name = `${family} ${transport.protocol === 'other' ? transport.number : transport.protocol}`;
  if (taken.has(name)) return undefined;
  taken.add(name);
  return transport;
}
