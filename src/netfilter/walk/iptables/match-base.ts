import type { Option } from '../../rule.ts';
import { isWithin, parseNetwork } from '../addresses.ts';
import { unknown, unless } from '../answer.ts';
import { inLinks, matchLink, outLinks } from './link-names.ts';
import { constant, type Matcher, type RuleContext } from './matcher.ts';
import { isOfProtocol } from './protocols.ts';

/** What every rule may ask without a match extension. */
export function isBaseOption({ name }: Option): boolean {
  return baseOptions.has(name);
}

const baseOptions = new Map<string, (option: Option, context: RuleContext) => Matcher>([
  ['-s', addressMatch('source')],
  ['--source', addressMatch('source')],
  ['--src', addressMatch('source')],
  ['-d', addressMatch('destination')],
  ['--destination', addressMatch('destination')],
  ['--dst', addressMatch('destination')],
  ['-i', inMatch],
  ['--in-interface', inMatch],
  ['-o', outMatch],
  ['--out-interface', outMatch],
  ['-p', protocolMatch],
  ['--protocol', protocolMatch],
  // A packet that is walked is a whole one.
  ['-f', ({ negated }) => constant(negated)],
  ['--fragment', ({ negated }) => constant(negated)],
]);

export function baseMatch(option: Option, context: RuleContext): Matcher {
  const read = baseOptions.get(option.name);
  return read ? read(option, context) : constant(unknown(`${option.name} is not understood`));
}

function addressMatch(side: 'source' | 'destination') {
  return ({ values: [text = ''], negated }: Option, { family }: RuleContext): Matcher => {
    const network = parseNetwork(text, family);
    if (!network) return constant(unknown(`${text} is not understood as an address`));
    return (flight) => isWithin(flight[side], network) !== negated;
  };
}

function inMatch({ values: [pattern = ''], negated }: Option, { reading }: RuleContext): Matcher {
  const links = inLinks(reading.network);
  return (flight) =>
    unless(negated, flight.inLinkUnknown ? matchLink(pattern, links) : matchLink(pattern, [flight.inLink]));
}

function outMatch({ values: [pattern = ''], negated }: Option, { reading }: RuleContext): Matcher {
  const links = outLinks(reading.network);
  return (flight) =>
    unless(negated, flight.outLinkUnknown ? matchLink(pattern, links) : matchLink(pattern, [flight.outLink]));
}

function protocolMatch({ values: [name = ''], negated }: Option, _: RuleContext): Matcher {
  return (flight) => unless(negated, isOfProtocol(flight, name));
}
