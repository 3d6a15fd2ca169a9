import type { Option } from '../../rule.ts';
import { compareAddresses, parseAddress } from '../addresses.ts';
import { type Answer, some, unknown, unless } from '../answer.ts';
import type { Flight } from '../flight.ts';
import { portOf } from '../translate.ts';
import { readIcmpTypes } from './icmp-types.ts';
import { constant, type Matcher, type MatchGroup, notUnderstood, type RuleContext } from './matcher.ts';
import { type Range, readRange, readRanges } from './ranges.ts';

/** `-m udp`, `-m sctp`, ...: ports. */
export function portMatch(group: MatchGroup): readonly Matcher[] {
  return group.options.map((option) => portOption(option) ?? notUnderstood(group, option));
}

export function tcpMatch(group: MatchGroup): readonly Matcher[] {
  return group.options.map((option) => {
    switch (option.name) {
      case '--tcp-flags':
        return flagsMatch(option);
      case '--syn':
        return flagsMatch({ ...option, values: ['FIN,SYN,RST,ACK', 'SYN'] });
      default:
        return portOption(option) ?? notUnderstood(group, option);
    }
  });
}

export function multiportMatch(group: MatchGroup): readonly Matcher[] {
  return group.options.map((option) => {
    const { name, negated, values } = option;
    const sides = sidesOf.get(name);
    const ranges = readRanges(values[0] ?? '');
    if (!sides || !ranges) return notUnderstood(group, option);
    return (flight) => unless(negated, some(sides.map((side) => portWithin(flight, side, ranges))));
  });
}

const sidesOf: ReadonlyMap<string, readonly ('source' | 'destination')[]> = new Map([
  ['--sports', ['source']],
  ['--source-ports', ['source']],
  ['--dports', ['destination']],
  ['--destination-ports', ['destination']],
  ['--ports', ['source', 'destination']],
]);

function portOption({ name, values, negated }: Option): Matcher | undefined {
  const side = portSides.get(name);
  const range = readRange(values[0] ?? '');
  if (!side || !range) return undefined;
  return (flight) => unless(negated, portWithin(flight, side, [range]));
}

const portSides: ReadonlyMap<string, 'source' | 'destination'> = new Map([
  ['--sport', 'source'],
  ['--source-port', 'source'],
  ['--dport', 'destination'],
  ['--destination-port', 'destination'],
]);

const unknownPort = {
  source: unknown('the source port is not known'),
  destination: unknown('the destination port is not known'),
};

function portWithin(
  { packet: { transport } }: Flight,
  side: 'source' | 'destination',
  ranges: readonly Range[],
): Answer {
  const port = portOf(transport, side);
  if (port !== undefined) return ranges.some(({ from, to }) => port >= from && port <= to);
  return ranges.some(({ from, to }) => from === 0 && to === 65535) ? true : unknownPort[side];
}

const allFlags = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];

function flagsMatch({ values: [mask = '', set = ''], negated }: Option): Matcher {
  const asked = readFlags(mask);
  const wanted = new Set(readFlags(set));
  return ({ packet: { transport } }) => {
    if (transport.protocol !== 'tcp') return false;
    const present = new Set<string>(transport.flags);
    return unless(
      negated,
      asked.every((flag) => present.has(flag) === wanted.has(flag)) &&
        [...wanted].every((flag) => asked.includes(flag)),
    );
  };
}

function readFlags(text: string): readonly string[] {
  if (text === 'ALL') return allFlags;
  return text === 'NONE' ? [] : text.split(',');
}

export function icmpMatch(group: MatchGroup, { family }: RuleContext): readonly Matcher[] {
  return group.options.map((option) => {
    const wanted = readIcmpTypes(option.values[0] ?? '', family);
    if (!/^--icmp(v6)?-type$/.test(option.name) || !wanted) return notUnderstood(group, option);
    if (wanted === 'any') return constant(!option.negated);
    return ({ packet: { transport } }) => {
      if (transport.protocol !== 'icmp') return false;
      const { type, code } = transport;
      if (type === undefined) return unknown('the ICMP type is not known');
      if (type !== wanted.type) return option.negated;
      if (code === undefined && wanted.code !== undefined) return unknown('the ICMP code is not known');
      return unless(option.negated, wanted.code === undefined || wanted.code === code);
    };
  });
}

export const espMatch = spiMatch('esp', '--espspi');
export const ahMatch = spiMatch('ah', '--ahspi');

function spiMatch(protocol: 'esp' | 'ah', name: string) {
  return (group: MatchGroup): readonly Matcher[] =>
    group.options.map((option) => {
      const range = readRange(option.values[0] ?? '');
      if (option.name !== name || !range) return notUnderstood(group, option);
      return ({ packet: { transport } }) => {
        if (transport.protocol !== protocol) return false;
        const { spi } = transport;
        if (spi === undefined) return unknown('the SPI is not known');
        return unless(option.negated, spi >= range.from && spi <= range.to);
      };
    });
}

export function iprangeMatch(group: MatchGroup, { family }: RuleContext): readonly Matcher[] {
  return group.options.map((option) => {
    const [from, to] = (option.values[0] ?? '').split('-').map((text) => parseAddress(text, family));
    const side = rangeSides.get(option.name);
    if (!side || !from || !to) return notUnderstood(group, option);
    return (flight) =>
      unless(
        option.negated,
        compareAddresses(flight[side], from) >= 0 && compareAddresses(flight[side], to) <= 0,
      );
  });
}

const rangeSides: ReadonlyMap<string, 'source' | 'destination'> = new Map([
  ['--src-range', 'source'],
  ['--dst-range', 'destination'],
]);
