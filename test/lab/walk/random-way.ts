import type { Family } from '../../../src/netfilter/ruleset.ts';
import { sameSpelling } from './parse-address.ts';
import type { ProbeOptions } from './random-probe.ts';
import {
  broadcasts,
  existingPods,
  farPrefix,
  hostAddress,
  hostNumbers,
  multicasts6,
  nodeAddresses,
  oddAddresses,
  podMac,
  prefixes,
  services,
  type Wire,
  wireOfPod,
} from './world.ts';

/** One end of a packet's way: an address, and the wire it is behind. */
export interface Place {
  readonly address: string;
  readonly wire: Wire;
  readonly mac: string;
}

const someMac = '02:00:00:00:aa:01';

export function randomSource(options: ProbeOptions, family: Family): Place {
  const { random, targets } = options;
  const place = random.weighted<Place>([
    [34, () => hostOn(options, family, 'eth0')],
    [16, () => hostOn(options, family, 'eth1')],
    [24, () => pod(options, family)],
    [12, () => hostOn(options, family, 'flannel.1')],
    [12, () => ({ address: far(options, family), wire: 'eth0', mac: someMac })],
  ]);
  const sources = targets.sources[family];
  // As if it were somebody else's.
  if (sources.length > 0 && random.chance(0.25)) return { ...place, address: random.pick(sources) };
  if (random.chance(0.04))
    return { ...place, address: random.pick([far(options, family), pod(options, family).address]) };
  return place;
}

export function randomDestination(options: ProbeOptions, family: Family): Place {
  const { random, targets } = options;
  const addresses = targets.addresses[family];
  return placeOf(
    random.weighted<string>([
      [addresses.length > 0 ? 120 : 0, () => random.pick(addresses)],
      [28, () => ownAddress(options, family)],
      [20, () => pod(options, family).address],
      [14, () => hostOn(options, family, 'flannel.1').address],
      [8, () => hostOn(options, family, 'eth1').address],
      [8, () => hostOn(options, family, 'eth0').address],
      [6, () => far(options, family)],
      [14, () => random.pick(services[family])],
      [5, () => random.pick(oddAddresses[family])],
      [2, () => random.pick(family === 'ipv4' ? broadcasts : multicasts6)],
    ]),
  );
}

export function ownAddress({ random, targets }: ProbeOptions, family: Family): string {
  return random.pick([...Object.values(nodeAddresses[family]), ...targets.own[family]]);
}

export function isOwnAddress({ targets }: ProbeOptions, family: Family, address: string): boolean {
  return [...Object.values(nodeAddresses[family]), ...targets.own[family]].some(
    (own) => sameSpelling(own) === sameSpelling(address),
  );
}

export function isForAll(address: string): boolean {
  return broadcasts.includes(address) || multicasts6.includes(address);
}

/** Where an address is, by the node's routes. */
export function placeOf(address: string): Place {
  const wireNames = ['eth0', 'eth1', 'flannel.1'] as const;
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  const number = existingPods[family].find((each) => hostAddress(prefixes[family].cni0, each) === address);
  if (number !== undefined) return { address, wire: wireOfPod(number), mac: podMac(number) };
  const odd = oddWires[address];
  if (odd !== undefined) return { address, wire: odd, mac: someMac };
  const wire = wireNames.find((each) => address.startsWith(prefixes[family][each])) ?? 'eth0';
  return { address, wire, mac: someMac };
}

const oddWires: Readonly<Record<string, Wire>> = {
  '198.18.3.9': 'eth1',
  '198.18.3.70': 'flannel.1',
  '2001:db8:18:3::9': 'eth1',
  '2001:db8:18:3:8000::9': 'flannel.1',
};

function hostOn({ random }: ProbeOptions, family: Family, wire: 'eth0' | 'eth1' | 'flannel.1'): Place {
  return { address: hostAddress(prefixes[family][wire], random.pick(hostNumbers)), wire, mac: someMac };
}

function pod({ random }: ProbeOptions, family: Family): Place {
  const number = random.pick(hostNumbers);
  return {
    address: hostAddress(prefixes[family].cni0, number),
    wire: wireOfPod(number),
    mac: podMac(number),
  };
}

function far({ random }: ProbeOptions, family: Family): string {
  return hostAddress(farPrefix[family], 1 + random.below(250));
}
