import type { Jump } from '../../rule.ts';
import { addressRange, parseNetwork } from '../addresses.ts';
import { chance, type Doubt, unknown } from '../answer.ts';
import type { Flight } from '../flight.ts';
import { masqueradeSource, ownAddresses, redirectDestination } from '../nat-address.ts';
import { type NewPort, portOf, printEnd, withDestination, withSource } from '../translate.ts';
import type { RuleContext } from './matcher.ts';
import { type NatRange, readNatRange } from './nat-range.ts';
import { anything, type Outcome, optionOf, type Target } from './target.ts';

type Side = 'source' | 'destination';

export function dnatTarget(jump: Jump, { family }: RuleContext): Target {
  const range = readNatRange(optionOf(jump, '--to-destination') ?? '', family);
  return range ? (flight) => translate(flight, 'destination', range, isRandom(jump)) : notRead(jump);
}

export function snatTarget(jump: Jump, { family }: RuleContext): Target {
  const range = readNatRange(optionOf(jump, '--to-source') ?? '', family);
  return range ? (flight) => translate(flight, 'source', range, isRandom(jump)) : notRead(jump);
}

/** To the node itself: the address of the link that it came over, or the loopback one. */
export function redirectTarget(jump: Jump, { reading, family }: RuleContext): Target {
  const read = readPorts(optionOf(jump, '--to-ports'));
  if (!read) return notRead(jump);
  const ports = read.range;
  return (flight, at) => {
    const own = redirectDestination(flight, at, reading.network);
    const addresses = own ? [own] : ownAddresses(reading.network, family);
    const whole = {
      doubt: unknown('to which address of the node is not known'),
      ports,
      isRandom: isRandom(jump),
    };
    return addresses.length === 0
      ? anything(whole.doubt)(flight, at)
      : toOwn(flight, 'destination', addresses, whole);
  };
}

/** From the address of the link that it leaves over. */
export function masqueradeTarget(jump: Jump, { reading, family }: RuleContext): Target {
  const read = readPorts(optionOf(jump, '--to-ports'));
  if (!read) return notRead(jump);
  const ports = read.range;
  return (flight) => {
    const own = masqueradeSource(flight, reading.network);
    const addresses = own ? [own] : ownAddresses(reading.network, family);
    const doubt = unknown('from which address of the node is not known');
    if (addresses.length > 0)
      return toOwn(flight, 'source', addresses, { doubt, ports, isRandom: isRandom(jump) });
    const after: Flight = { ...flight, sourceTranslated: true };
    return [{ flight: after, next: { kind: 'translated' }, action: 'from the address of its link out' }];
  };
}

/** The network's bits are replaced, those of the host stay. */
export function netmapTarget(jump: Jump, { family }: RuleContext): Target {
  const network = parseNetwork(optionOf(jump, '--to') ?? '', family);
  if (!network) return notRead(jump);
  return (flight, { hook }) => {
    const side: Side = hook === 'prerouting' || hook === 'output' ? 'destination' : 'source';
    const { mask } = network;
    const to = network.address.map((byte, i) => byte | ((flight[side][i] ?? 0) & ~(mask[i] ?? 0)));
    return translate(flight, side, { addresses: { from: to, to }, ports: undefined }, false);
  };
}

function notRead({ target }: Jump): Target {
  return anything(unknown(`where ${target} leads to is not understood`));
}

function isRandom({ options }: Jump): boolean {
  return options.some(({ name }) => name === '--random' || name === '--random-fully');
}

interface Whole {
  /** For when there is not exactly one address. */
  readonly doubt: Doubt;
  readonly ports: NatRange['ports'];
  readonly isRandom: boolean;
}

function toOwn(
  flight: Flight,
  side: Side,
  addresses: readonly Uint8Array[],
  { doubt, ports, isRandom }: Whole,
): readonly Outcome[] {
  const outcomes = addresses.flatMap((own) =>
    translate(flight, side, { addresses: { from: own, to: own }, ports }, isRandom),
  );
  if (addresses.length === 1) return outcomes;
  // Where the link has none, the kernel drops it.
  const dropped: Outcome = { flight, next: { kind: 'drop' }, action: 'drop', doubt };
  return [...outcomes.map((outcome) => ({ ...outcome, doubt })), dropped];
}

/** Undefined: not understood. */
function readPorts(text: string | undefined): { readonly range: NatRange['ports'] } | undefined {
  if (text === undefined) return { range: undefined };
  const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  return from === undefined ? undefined : { range: { from: Number(from), to: Number(to), base: undefined } };
}

/** Of more addresses or ports than this, it is not told which. */
const maxAddresses = 256;

function translate(
  flight: Flight,
  side: Side,
  { addresses, ports }: NatRange,
  random: boolean,
): readonly Outcome[] {
  const pool = addresses ? choices(addresses) : [flight[side]];
  if (!pool) {
    const doubt = unknown('one of more addresses than can be followed');
    return anything(doubt)(flight, { hook: 'prerouting', tracked: true });
  }
  const port = newPort(flight, side, ports, random);
  const doubt: Doubt | undefined = pool.length > 1 ? chance(`one of ${pool.length} addresses`) : undefined;
  return pool.map((address) => {
    const after = (side === 'source' ? withSource : withDestination)(flight, address, port);
    const action = `${side === 'source' ? 'from' : 'to'} ${printEnd(after, side)}`;
    return { flight: after, next: { kind: 'translated' }, action, ...(doubt && { doubt }) };
  });
}

function choices({ from, to }: NonNullable<NatRange['addresses']>): readonly Uint8Array[] | undefined {
  return from === to ? [from] : addressRange(from, to, maxAddresses);
}

/** A port that is within the range is kept, unless it is to be a random one. */
function newPort({ packet }: Flight, side: Side, ports: NatRange['ports'], random: boolean): NewPort {
  const now = portOf(packet.transport, side);
  if (!ports) return random && side === 'source' ? 'some' : 'kept';
  const { from, to, base } = ports;
  if (from === to) return from;
  if (base !== undefined) return now === undefined ? 'some' : from + ((now - base) % (to - from + 1));
  const isWithin = now !== undefined && now >= from && now <= to;
  return isWithin && !random ? 'kept' : 'some';
}
