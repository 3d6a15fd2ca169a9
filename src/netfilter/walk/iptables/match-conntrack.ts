import type { Option } from '../../rule.ts';
import { isWithin, parseNetwork } from '../addresses.ts';
import { type Answer, every, some, unknown, unless } from '../answer.ts';
import type { Flight, Place } from '../flight.ts';
import { portOf } from '../translate.ts';
import { type Matcher, type MatchGroup, notUnderstood, type RuleContext } from './matcher.ts';
import { isOfProtocol } from './protocols.ts';
import { readMasked, readRange } from './ranges.ts';

/** Whether conntrack has an entry for the packet where it is now. */
export function hasConnection({ packet: { state } }: Flight, { tracked }: Place): boolean {
  return tracked && state !== 'INVALID' && state !== 'UNTRACKED';
}

export function stateMatch(group: MatchGroup): readonly Matcher[] {
  return group.options.map((option) =>
    option.name === '--state' ? stateOption(option) : notUnderstood(group, option),
  );
}

/** Without a connection the state alone is looked at, and nothing else can match. */
export function conntrackMatch(group: MatchGroup, context: RuleContext): readonly Matcher[] {
  const states = group.options.filter(({ name }) => name === '--ctstate').map(stateOption);
  const others = group.options
    .filter(({ name }) => name !== '--ctstate')
    .map((option) => connectionOption(option, context) ?? notUnderstood(group, option));
  return [
    ...states,
    (flight, at) => {
      if (!hasConnection(flight, at)) return states.length > 0;
      return every(others.map((matcher) => matcher(flight, at)));
    },
  ];
}

function stateOption({ values: [list = ''], negated }: Option): Matcher {
  const wanted = new Set(list.split(','));
  return (flight, at) => unless(negated, isInState(flight, at, wanted));
}

function isInState(flight: Flight, at: Place, wanted: ReadonlySet<string>): Answer {
  const { packet, original, destinationTranslated, sourceTranslated } = flight;
  // Before conntrack has looked, what raw itself has taken out of its sight is all that it knows.
  const isTakenOut = !at.tracked && packet.state === 'UNTRACKED';
  if (isTakenOut && original.state === 'UNTRACKED' && wanted.has('INVALID') !== wanted.has('UNTRACKED')) {
    return unknown('which rule makes the packet untracked is not known');
  }
  const state = at.tracked || isTakenOut ? packet.state : 'INVALID';
  if (wanted.has(state)) return true;
  if (!hasConnection(flight, at)) return false;
  if ((wanted.has('DNAT') && destinationTranslated) || (wanted.has('SNAT') && sourceTranslated)) return true;
  const asksForNat = wanted.has('DNAT') || wanted.has('SNAT');
  return asksForNat && packet.state === 'RELATED'
    ? unknown('whether its connection is translated is not known')
    : false;
}

type Read = (flight: Flight) => Answer;

function connectionOption(option: Option, { family }: RuleContext): Matcher | undefined {
  const read = readerOf(option, family);
  return read && ((flight) => unless(option.negated, read(flight)));
}

const unknownTuple = unknown('what its connection began with is not known');

/** The reply to a new connection comes from where it is sent to now. */
function readerOf({ name, values: [text = ''] }: Option, family: RuleContext['family']): Read | undefined {
  const network = parseNetwork(text, family);
  const range = readRange(text);
  const address = (pick: (flight: Flight) => Uint8Array): Read | undefined =>
    network && ((flight) => (isNew(flight) ? isWithin(pick(flight), network) : unknownTuple));
  const port = (pick: (flight: Flight) => number | undefined): Read | undefined =>
    range &&
    ((flight) => {
      const value = isNew(flight) ? pick(flight) : undefined;
      return value === undefined ? unknownTuple : value >= range.from && value <= range.to;
    });
  switch (name) {
    case '--ctproto':
      return (flight) => (isError(flight) ? unknownTuple : isOfProtocol(flight, text));
    case '--ctorigsrc':
      return (
        network && ((flight) => (isNew(flight) ? isOriginal(flight, 'source', text, family) : unknownTuple))
      );
    case '--ctorigdst':
      return (
        network &&
        ((flight) => (isNew(flight) ? isOriginal(flight, 'destination', text, family) : unknownTuple))
      );
    case '--ctreplsrc':
      return address(({ destination }) => destination);
    case '--ctrepldst':
      return address(({ source }) => source);
    case '--ctorigsrcport':
      return port(({ original }) => portOf(original.transport, 'source'));
    case '--ctorigdstport':
      return port(({ original }) => portOf(original.transport, 'destination'));
    case '--ctreplsrcport':
      return port(({ packet }) => portOf(packet.transport, 'destination'));
    case '--ctrepldstport':
      return port(({ packet }) => portOf(packet.transport, 'source'));
    case '--ctstatus':
      return (flight) => some(text.split(',').map((status) => hasStatus(flight, status)));
    case '--ctdir':
      return (flight) => (isNew(flight) ? text === 'ORIGINAL' : unknown('its direction is not known'));
    case '--ctexpire':
      return () => unknown('when its connection ends is not known');
    default:
      return undefined;
  }
}

/** Of ICMP, about a packet of another protocol: it is that one's connection. */
function isError({ packet: { state, transport } }: Flight): boolean {
  return state === 'RELATED' && transport.protocol === 'icmp';
}

function isNew({ packet }: Flight): boolean {
  return packet.state === 'NEW';
}

function isOriginal(
  { original }: Flight,
  side: 'source' | 'destination',
  text: string,
  family: RuleContext['family'],
): boolean {
  const network = parseNetwork(text, family);
  const address = parseNetwork(original[side], family)?.address;
  return network !== undefined && address !== undefined && isWithin(address, network);
}

function hasStatus({ packet: { state }, original, inLink }: Flight, status: string): Answer {
  // No bit stands for it, so that the kernel never finds it set.
  if (status === 'NONE') return false;
  if (state === 'NEW') {
    // What the node sends to itself is confirmed once it has left.
    if (status === 'CONFIRMED') return original.origin.kind === 'process' && inLink !== undefined;
    if (['EXPECTED', 'SEEN_REPLY', 'ASSURED'].includes(status)) return false;
  }
  if (state === 'ESTABLISHED' && (status === 'SEEN_REPLY' || status === 'CONFIRMED')) return true;
  return unknown(`whether its connection is ${status} is not known`);
}

export function connmarkMatch(group: MatchGroup): readonly Matcher[] {
  return group.options.map((option) => {
    const wanted = readMasked(option.values[0] ?? '');
    if (option.name !== '--mark' || !wanted) return notUnderstood(group, option);
    return (flight, at) =>
      hasConnection(flight, at) &&
      unless(option.negated, (flight.connectionMark & wanted.mask) >>> 0 === wanted.value);
  });
}

/** Only what another connection led to has a helper. */
export function helperMatch(group: MatchGroup): readonly Matcher[] {
  const doubt = unknown('whether its connection has a helper is not known');
  return group.options.map(
    ({ negated }) =>
      (flight, at) =>
        !hasConnection(flight, at) || flight.packet.state === 'NEW' ? negated : doubt,
  );
}
