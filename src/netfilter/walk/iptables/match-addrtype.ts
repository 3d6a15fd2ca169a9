import { type Answer, some, unknown, unless } from '../answer.ts';
import type { Flight } from '../flight.ts';
import type { NetworkReading } from '../reading.ts';
import { routingOf } from '../routing.ts';
import { type Matcher, type MatchGroup, notUnderstood, type RuleContext } from './matcher.ts';

/** What the node's own addresses say of the packet's. */
export function addrtypeMatch(group: MatchGroup, { family, reading }: RuleContext): readonly Matcher[] {
  const { network } = reading;
  const limit = group.options.find(({ name }) => name.startsWith('--limit-iface-'))?.name;
  return group.options.flatMap((option) => {
    if (option.name === limit) return [];
    const side = sides.get(option.name);
    if (!side) return [notUnderstood(group, option)];
    const types = (option.values[0] ?? '').split(',');
    const ask = family === 'ipv4' ? isAnyOf : isAllOf;
    return [(flight) => unless(option.negated, ask(types, { flight, side, limit, network }))];
  });
}

const sides: ReadonlyMap<string, 'source' | 'destination'> = new Map([
  ['--src-type', 'source'],
  ['--dst-type', 'destination'],
]);

interface Question {
  readonly flight: Flight;
  readonly side: 'source' | 'destination';
  /** `--limit-iface-in` or `-out`: only addresses of that link count. */
  readonly limit: string | undefined;
  readonly network: NetworkReading;
}

const unknownAddresses = unknown('the addresses of the node are not known');

/** IPv4 looks at the local table alone: what is not in there is UNICAST. */
function isAnyOf(types: readonly string[], question: Question): Answer {
  const type = localType(question);
  if (typeof type === 'object') return type;
  return types.some((wanted) => wanted.toLowerCase() === type);
}

/** IPv6 asks for each kind by itself: a local address is a unicast one, too. */
function isAllOf(types: readonly string[], question: Question): Answer {
  const { flight, side, network } = question;
  const address = flight[side];
  const isMulticast = address[0] === 0xff;
  const isUnspecified = address.every((byte) => byte === 0);
  if (types.includes('MULTICAST') && !isMulticast) return false;
  if (types.includes('UNICAST') && (isMulticast || isUnspecified)) return false;
  if (types.includes('UNSPEC') && !isUnspecified) return false;
  const routed = types.filter((type) => ['ANYCAST', 'LOCAL', 'PROHIBIT', 'UNREACHABLE'].includes(type));
  if (routed.length === 0) return true;
  return some(
    routed.map((type) => {
      if (type === 'LOCAL' || type === 'ANYCAST') {
        const own = localType(question);
        return typeof own === 'object' ? own : own === type.toLowerCase();
      }
      const answer = routingOf(network).lookUp(address);
      if (answer.kind === 'unknown') return unknown('the routes of the node are not known');
      if (answer.kind === 'none') return type === 'UNREACHABLE';
      return answer.routes.some((route) => route.type === type.toLowerCase());
    }),
  );
}

function localType({ flight, side, limit, network }: Question) {
  const link = limit === undefined ? undefined : limit.endsWith('-in') ? flight.inLink : flight.outLink;
  const isUnknown = limit?.endsWith('-in') ? flight.inLinkUnknown : flight.outLinkUnknown;
  if (limit !== undefined && isUnknown) return unknown('the link of the packet is not known');
  return routingOf(network).localType(flight[side], link) ?? unknownAddresses;
}
