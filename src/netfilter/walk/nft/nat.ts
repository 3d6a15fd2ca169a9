import { addressRange } from '../addresses.ts';
import { type Doubt, unknown } from '../answer.ts';
import type { Flight, Place } from '../flight.ts';
import { masqueradeSource, ownAddresses, redirectDestination } from '../nat-address.ts';
import { type NewPort, portOf, printEnd, withDestination, withSource } from '../translate.ts';
import { addressType, isInSpan, numberType, type Span } from './datatype.ts';
import type { Environment } from './environment.ts';
import { type JsonObject, listOf } from './json.ts';
import { readWriter, type Writer, type Written } from './map-value.ts';
import { anything, type Outcome, type Step } from './step.ts';
import { bytesToScalar, scalarToBytes } from './value.ts';

type Kind = 'dnat' | 'snat' | 'masquerade' | 'redirect';

/** `dnat ip to 10.42.0.9:80`, `masquerade`: packets of the other family go on to the next statement. */
export function readNat(kind: Kind, fields: JsonObject, environment: Environment): readonly Step[] {
  const { family } = environment;
  if (fields['family'] === (family === 'ipv4' ? 'ip6' : 'ip')) return [];
  const { addr, port } = fields;
  const types = [addressType(family), numberType()];
  const nat: Nat = {
    side: kind === 'dnat' || kind === 'redirect' ? 'destination' : 'source',
    addresses: addr === undefined ? undefined : readWriter(addr, types, environment),
    ports: port === undefined ? undefined : readWriter(port, [numberType()], environment),
    flags: new Set([...listOf(fields['flags']), ...listOf(fields['type_flags'])].map(String)),
  };
  const unclear = anything(`where ${kind} leads to is not known`);
  return [
    {
      act(flight, at) {
        const outcomes = translate(kind, nat, flight, at, environment);
        return outcomes ?? unclear.act(flight, at);
      },
    },
  ];
}

interface Nat {
  readonly side: 'source' | 'destination';
  readonly addresses: Writer | undefined;
  readonly ports: Writer | undefined;
  readonly flags: ReadonlySet<string>;
}

const asItIs: readonly Written[] = [{ spans: [] }];

/** Undefined: it cannot be told. */
function translate(
  kind: Kind,
  nat: Nat,
  flight: Flight,
  at: Place,
  environment: Environment,
): readonly Outcome[] | undefined {
  const ports = nat.ports ? nat.ports(flight, at) : asItIs;
  const addresses = addressesOf(kind, nat, flight, at, environment);
  if (!addresses || !ports) return undefined;
  const all = addresses.flatMap((address) => ports.map((port) => place(nat, flight, address, port)));
  return all.every((outcomes) => outcomes !== undefined) ? all.flat() : undefined;
}

const unknownOwn = unknown('which address of the node it is is not known');

function addressesOf(
  kind: Kind,
  { addresses }: Nat,
  flight: Flight,
  at: Place,
  { network, family }: Environment,
): readonly Written[] | undefined {
  if (kind === 'dnat' || kind === 'snat') return addresses ? addresses(flight, at) : asItIs;
  const own =
    kind === 'masquerade' ? masqueradeSource(flight, network) : redirectDestination(flight, at, network);
  if (own) return [{ spans: [oneAddress(own)] }];
  const any = ownAddresses(network, family);
  return any.length === 0
    ? undefined
    : any.map((bytes) => ({ spans: [oneAddress(bytes)], doubt: unknownOwn }));
}

function oneAddress(bytes: Uint8Array): Span {
  const scalar = bytesToScalar(bytes);
  return { from: scalar, to: scalar };
}

/** More addresses than this are not followed one by one. */
const mostAddresses = 64;

function place(
  { side, flags }: Nat,
  flight: Flight,
  { spans: addresses, doubt }: Written,
  { spans: ports, doubt: portDoubt }: Written,
): readonly Outcome[] | undefined {
  const written = doubt ?? portDoubt;
  if (!addresses || !ports)
    return [{ flight, next: { kind: 'continue' }, ...(written && { doubt: written }) }];
  const [address, addressPort] = addresses;
  const [port = addressPort] = ports;
  const choices = chooseAddresses(flight[side], address, side, flags);
  if (!choices) return undefined;
  const newPort = choosePort(flight, side, port, flags);
  const chosen: Doubt | undefined =
    choices.length > 1 ? { kind: 'chance', reason: `one of ${choices.length} addresses` } : undefined;
  const supposed = written ?? chosen;
  return choices.map((bytes) => {
    const after =
      side === 'source' ? withSource(flight, bytes, newPort) : withDestination(flight, bytes, newPort);
    return {
      flight: after,
      next: { kind: 'translated' },
      action: `${side === 'source' ? 'from' : 'to'} ${printEnd(after, side)}`,
      ...(supposed && { doubt: supposed }),
    };
  });
}

function chooseAddresses(
  now: Uint8Array,
  span: Span | undefined,
  side: Nat['side'],
  flags: ReadonlySet<string>,
): readonly Uint8Array[] | undefined {
  if (!span) return [now];
  const from = 'from' in span ? scalarToBytes(span.from) : undefined;
  const to = 'from' in span ? scalarToBytes(span.to) : undefined;
  if (!from || !to || from.length !== now.length) return undefined;
  if (flags.has('netmap') || flags.has('prefix')) {
    return [from.map((byte, i) => byte | ((now[i] ?? 0) & (byte ^ (to[i] ?? 0))))];
  }
  const isKept = side === 'source' && !isRandom(flags) && isInSpan(span, bytesToScalar(now));
  return isKept ? [now] : addressRange(from, to, mostAddresses);
}

function isRandom(flags: ReadonlySet<string>): boolean {
  return flags.has('random') || flags.has('fully-random');
}

/** A port that fits stays; else a destination's is the first one, a source's any. */
function choosePort(
  { packet: { transport } }: Flight,
  side: Nat['side'],
  span: Span | undefined,
  flags: ReadonlySet<string>,
): NewPort {
  const random = isRandom(flags);
  if (!span) return random && side === 'source' ? 'some' : 'kept';
  if (!('from' in span) || typeof span.from !== 'number') return 'some';
  if (span.from === span.to) return span.from;
  if (random) return 'some';
  const now = portOf(transport, side);
  if (now === undefined) return 'some';
  if (isInSpan(span, now)) return 'kept';
  return side === 'source' ? 'some' : span.from;
}
