import type { Flight } from './flight.ts';
import type { Journey } from './follow-chain.ts';
import type { NetworkReading, Route } from './reading.ts';
import { familyOf, type RouteAnswer, routingOf } from './routing.ts';
import { type Strangeness, strangeArrival, strangeDeparture, strangeForward } from './strange-addresses.ts';
import { type Stopped, supposing, type Traveller } from './traveller.ts';
import type { Assumption } from './walk.ts';

/** Where the routes send those who came in. */
export interface ArrivalWays {
  readonly inside: readonly Traveller[];
  /** With their link out. */
  readonly forward: readonly Traveller[];
  readonly stopped: readonly Stopped[];
}

/** Where the routes send what the node sends itself. */
export interface DepartureWays {
  /** Over a loopback link, to an address of its own. */
  readonly back: readonly Traveller[];
  readonly out: readonly Traveller[];
  readonly stopped: readonly Stopped[];
}

export function waysOfArrival(
  travellers: readonly Traveller[],
  network: NetworkReading,
  journey: Journey,
): ArrivalWays {
  const ways = { inside: [] as Traveller[], forward: [] as Traveller[], stopped: [] as Stopped[] };
  const arrived = travellers.flatMap((traveller) =>
    withdraw(traveller, strangeArrival(traveller.flight, network), ways.stopped, journey),
  );
  for (const traveller of arrived) {
    const { flight } = traveller;
    const type = routingOf(network).localType(flight.destination);
    if (type === undefined && flight.original.outLink === undefined) {
      const [inside, forward] = eitherWay(traveller, 'the addresses of the node are not known', journey);
      ways.inside.push(inside);
      forwardOne(forward, network, journey, ways);
    } else if (isForTheNode(type)) ways.inside.push(traveller);
    else forwardOne(traveller, network, journey, ways);
  }
  return ways;
}

export function waysOfDeparture(
  travellers: readonly Traveller[],
  network: NetworkReading,
  journey: Journey,
): DepartureWays {
  const ways = { back: [] as Traveller[], out: [] as Traveller[], stopped: [] as Stopped[] };
  for (const traveller of travellers) {
    const { flight } = traveller;
    const type = routingOf(network).localType(flight.destination);
    if (type === undefined && flight.original.outLink === undefined) {
      const [back, out] = eitherWay(traveller, 'the addresses of the node are not known', journey);
      ways.back.push(leaving(back, loopbackOf(network)));
      takeRoute(out, network, journey, { onWay: ways.out, stopped: ways.stopped });
    } else if (type === 'local' || type === 'anycast')
      ways.back.push(leaving(traveller, loopbackOf(network)));
    else takeRoute(traveller, network, journey, { onWay: ways.out, stopped: ways.stopped });
  }
  return ways;
}

export function loopbackOf({ links }: NetworkReading): string {
  return links?.find(({ loopback }) => loopback)?.name ?? 'lo';
}

/** The outcome of what is no rule: the node's own routes and settings. */
export function ownAssumption({ flight }: Traveller, reason: string): Assumption {
  const family = familyOf(flight.destination);
  return {
    rule: { backend: 'native', family, table: '', chain: '', number: 0, text: '' },
    kind: 'unknown',
    reason,
  };
}

function isForTheNode(type: string | undefined): boolean {
  return type === 'local' || type === 'broadcast' || type === 'multicast' || type === 'anycast';
}

function eitherWay(traveller: Traveller, reason: string, { questions }: Journey): [Traveller, Traveller] {
  const assumption = ownAssumption(traveller, reason);
  const question = questions.ask(traveller, reason, [assumption, assumption]);
  return [supposing(traveller, question, 0), supposing(traveller, question, 1)];
}

interface Forwarding {
  readonly forward: Traveller[];
  readonly stopped: Stopped[];
}

function forwardOne(
  traveller: Traveller,
  network: NetworkReading,
  journey: Journey,
  { forward, stopped }: Forwarding,
): void {
  const { flight } = traveller;
  if (withdraw(traveller, strangeForward(flight, network), stopped, journey).length === 0) return;
  const forwarding = network.forwarding[familyOf(flight.destination)];
  let going = traveller;
  if (forwarding !== true) {
    const off = (stranded: Traveller): Stopped => ({
      traveller: stranded,
      fate: 'drop',
      decidedBy: { kind: 'kernel', reason: 'forwarding is off' },
    });
    if (forwarding === false) {
      stopped.push(off(traveller));
      return;
    }
    const [on, stranded] = eitherWay(traveller, 'whether forwarding is on is not known', journey);
    stopped.push(off(stranded));
    going = on;
  }
  takeRoute(going, network, journey, { onWay: forward, stopped });
}

interface Roads {
  readonly onWay: Traveller[];
  readonly stopped: Stopped[];
}

function takeRoute(
  traveller: Traveller,
  network: NetworkReading,
  journey: Journey,
  { onWay, stopped }: Roads,
): void {
  const { flight } = traveller;
  const answer = routingOf(network).lookUp(flight.destination);
  const given = flight.original.outLink;
  const obstacle = given === undefined ? obstacleOf(answer, flight) : undefined;
  if (obstacle) {
    stopped.push({ traveller, ...obstacle });
    return;
  }
  const link = given ?? linkOf(answer);
  const strange = flight.original.origin.kind === 'process' && strangeDeparture(flight, link, network);
  for (const going of withdraw(traveller, strange || undefined, stopped, journey))
    onWay.push(leaving(going, link));
}

/** Who goes on all the same: nobody, where the kernel is certain to stop it. */
function withdraw(
  traveller: Traveller,
  strange: Strangeness | undefined,
  stopped: Stopped[],
  journey: Journey,
): readonly Traveller[] {
  if (!strange) return [traveller];
  const { decidedBy, isCertain } = strange;
  if (isCertain || decidedBy.kind !== 'kernel') {
    stopped.push({ traveller, fate: 'drop', decidedBy });
    return [];
  }
  const [on, off] = eitherWay(traveller, decidedBy.reason, journey);
  stopped.push({ traveller: off, fate: 'drop', decidedBy });
  return [on];
}

type Obstacle = Pick<Stopped, 'fate' | 'decidedBy'>;

/** The kernel answers the sender, but for a black hole. */
function obstacleOf(answer: RouteAnswer, { packet }: Flight): Obstacle | undefined {
  if (answer.kind === 'unknown') return undefined;
  const [route] = answer.kind === 'found' ? answer.routes : [];
  const type = route?.type ?? 'none';
  const to = packet.destination;
  switch (type) {
    case 'none':
    case 'throw':
    case 'unreachable':
      return { fate: 'reject', decidedBy: { kind: 'kernel', reason: `no route to ${to}` } };
    case 'prohibit':
      return { fate: 'reject', decidedBy: { kind: 'kernel', reason: `a route prohibits ${to}` } };
    case 'blackhole':
      return { fate: 'drop', decidedBy: { kind: 'kernel', reason: `a route swallows what goes to ${to}` } };
    default:
      return undefined;
  }
}

/** Undefined where several are as good, or nobody knows. */
function linkOf(answer: RouteAnswer): string | undefined {
  const routes: readonly Route[] = answer.kind === 'found' ? answer.routes : [];
  const links = new Set(routes.map(({ link }) => link));
  const [only] = links;
  return links.size === 1 ? only : undefined;
}

function leaving(traveller: Traveller, outLink: string | undefined): Traveller {
  const { flight } = traveller;
  if (flight.outLink === outLink && flight.outLinkUnknown === (outLink === undefined)) return traveller;
  return { ...traveller, flight: { ...flight, outLink, outLinkUnknown: outLink === undefined } };
}
