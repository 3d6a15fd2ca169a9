import { type Answer, unknown, unless } from '../answer.ts';
import type { Flight } from '../flight.ts';
import type { Link, NetworkReading } from '../reading.ts';
import { routingOf } from '../routing.ts';
import { type Matcher, type MatchGroup, notUnderstood, type RuleContext } from './matcher.ts';

const unknownPort = unknown('whether it comes through a bridge, and by which port, is not known');

/** Only what came over a bridge has a port; whether it was bridged or routed is seen from the links. */
export function physdevMatch(group: MatchGroup, { reading }: RuleContext): readonly Matcher[] {
  return group.options.map((option) => {
    if (!physdevOptions.has(option.name)) return notUnderstood(group, option);
    return (flight) => unless(option.negated, isByPort(option.name, flight, reading.network));
  });
}

const physdevOptions = new Set([
  '--physdev-in',
  '--physdev-out',
  '--physdev-is-in',
  '--physdev-is-out',
  '--physdev-is-bridged',
]);

function isByPort(option: string, flight: Flight, { links }: NetworkReading): Answer {
  const { inLink, inLinkUnknown, outLink, outLinkUnknown, original } = flight;
  if (original.origin.kind === 'process') return false;
  if (inLinkUnknown || !links) return unknownPort;
  const came = links.find(({ name }) => name === inLink);
  if (came && !mayBeBridged(came)) return false;
  const isAboutIn = option === '--physdev-in' || option === '--physdev-is-in';
  // Bridged is what leaves over the bridge that it came over.
  if (!isAboutIn && !outLinkUnknown && outLink !== inLink) return false;
  return unknownPort;
}

function mayBeBridged({ kind, master, loopback }: Link): boolean {
  return !loopback && (kind === 'bridge' || master !== undefined);
}

/** Whether the way back to the sender is the way that it came. */
export function rpfilterMatch(group: MatchGroup, { reading }: RuleContext): readonly Matcher[] {
  const has = (name: string) => group.options.some((option) => option.name === name);
  const stranger = group.options.find(({ name }) => !rpfilterOptions.has(name));
  if (stranger || has('--validmark')) return [notUnderstood(group, stranger)];
  const isLoose = has('--loose');
  const takesLocal = has('--accept-local');
  return [
    (flight) => unless(has('--invert'), cameTheWayBack(flight, reading.network, { isLoose, takesLocal })),
  ];
}

const rpfilterOptions = new Set(['--loose', '--validmark', '--accept-local', '--invert']);

interface Strictness {
  readonly isLoose: boolean;
  readonly takesLocal: boolean;
}

function cameTheWayBack(
  flight: Flight,
  network: NetworkReading,
  { isLoose, takesLocal }: Strictness,
): Answer {
  const { inLink, inLinkUnknown, source } = flight;
  const isLoopback = network.links?.find(({ name }) => name === inLink)?.loopback ?? inLink === 'lo';
  if (isLoopback) return true;
  const answer = routingOf(network).lookUp(source);
  if (answer.kind === 'unknown') return unknown('the routes of the node are not known');
  const usable = answer.kind === 'found' ? answer.routes : [];
  const back = usable.filter(({ type }) => type === 'unicast' || (takesLocal && type === 'local'));
  if (back.length === 0) return false;
  if (isLoose) return true;
  if (inLinkUnknown) return unknown('the link of the packet is not known');
  return back.some(({ link }) => link === inLink);
}
