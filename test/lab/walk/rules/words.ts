/** Values for rules, drawn so that they meet the packets which will be sent. */
import type { Family } from '../../../../src/netfilter/ruleset.ts';
import type { Packet } from '../../../../src/netfilter/walk/packet.ts';
import type { Random } from '../random.ts';
import { hostAddress, hostNumbers, nodeAddresses, ports, prefixes, services } from '../world.ts';

export interface Words {
  readonly random: Random;
  address(family: Family): string;
  /** With its length. */
  network(family: Family): string;
  port(): number;
  portRange(separator: ':' | '-'): string;
  sourcePortRange(separator: ':' | '-'): string;
  mark(): string;
  link(): string;
}

export function createWords(random: Random, packets: readonly Packet[]): Words {
  const addresses = { ipv4: addressesOf('ipv4'), ipv6: addressesOf('ipv6') };
  const met = packets.flatMap(({ transport }) =>
    'destinationPort' in transport && transport.destinationPort ? [transport.destinationPort] : [],
  );
  const address = (family: Family) =>
    random.weighted([
      [addresses[family].length > 0 ? 6 : 0, () => random.pick(addresses[family])],
      [1, () => random.pick(Object.values(nodeAddresses[family]))],
      [1, () => random.pick(services[family])],
      [1, () => hostAddress(random.pick(Object.values(prefixes[family])), random.pick(hostNumbers))],
    ]);
  const port = () => (met.length > 0 && random.chance(0.7) ? random.pick(met) : random.pick(ports));
  return {
    random,
    address,
    network: (family) =>
      `${address(family)}/${random.pick(family === 'ipv4' ? [32, 32, 30, 28, 24, 24, 16, 12, 8, 1] : [128, 128, 120, 112, 64, 64, 48, 32, 16, 7])}`,
    port,
    portRange: (separator) => {
      const [low, high] = [port(), random.chance(0.5) ? port() : 1 + random.below(65_535)];
      // A range of one is refused here and there.
      return `${Math.min(low, high)}${separator}${Math.max(low, high) + (low === high ? 1 : 0)}`;
    },
    sourcePortRange: (separator) => {
      const [low, high] = [random.below(60_000), random.below(65_536)];
      return `${Math.min(low, high)}${separator}${Math.max(low, high)}`;
    },
    mark: () =>
      random.pick([
        '0x1',
        '0x1/0x1',
        '0x4000/0x4000',
        '0x20000/0x20000',
        '0x0',
        '0x4000',
        '0x0/0x1',
        '0x1/0xff',
      ]),
    link: () =>
      random.pick([
        'eth0',
        'eth0',
        'eth1',
        'cni0',
        'cni0',
        'flannel.1',
        'lo',
        'eth+',
        'cni+',
        'docker0',
        'veth+',
      ]),
  };

  function addressesOf(family: Family): string[] {
    return packets.flatMap((packet) => (packet.family === family ? [packet.source, packet.destination] : []));
  }
}
