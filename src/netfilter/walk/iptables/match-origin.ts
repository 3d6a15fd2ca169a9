import type { Option } from '../../rule.ts';
import { type Answer, unknown, unless } from '../answer.ts';
import type { Flight } from '../flight.ts';
import { routingOf } from '../routing.ts';
import { type Matcher, type MatchGroup, notUnderstood, type RuleContext } from './matcher.ts';

/** The process that sent it; what only passes through has none. */
export function ownerMatch(group: MatchGroup): readonly Matcher[] {
  return group.options.map((option) => {
    const { name, negated, values } = option;
    if (name === '--socket-exists') return (flight) => (originOf(flight) !== undefined) !== negated;
    const [from = Number.NaN, to = from] = (values[0] ?? '').split('-').map(Number);
    if ((name !== '--uid-owner' && name !== '--gid-owner') || Number.isNaN(from))
      return notUnderstood(group, option);
    return (flight) => {
      const process = originOf(flight);
      if (!process) return negated;
      const id = name === '--uid-owner' ? process.uid : process.gid;
      if (id === undefined) return unknown('who sends it is not known');
      return (id >= from && id <= to) !== negated;
    };
  });
}

function originOf({ original: { origin } }: Flight) {
  return origin.kind === 'process' ? origin : undefined;
}

/** Never of what the node itself sends, whatever is asked. */
export function macMatch(group: MatchGroup): readonly Matcher[] {
  return group.options.map((option) => {
    if (option.name !== '--mac-source') return notUnderstood(group, option);
    const doubt = unknown('the MAC address of the sender is not known');
    return (flight) => (originOf(flight) ? false : doubt);
  });
}

export function pkttypeMatch(group: MatchGroup, { reading }: RuleContext): readonly Matcher[] {
  return group.options.map((option) => {
    if (option.name !== '--pkt-type') return notUnderstood(group, option);
    return (flight) => unless(option.negated, isOfType(option, flight, reading.network));
  });
}

function isOfType(
  { values: [wanted = ''] }: Option,
  flight: Flight,
  network: RuleContext['reading']['network'],
): Answer {
  if (originOf(flight)) return wanted === 'unicast';
  const type = routingOf(network).localType(flight.destination);
  if (type === undefined) return unknown('the addresses of the node are not known');
  return wanted === (type === 'broadcast' || type === 'multicast' ? type : 'unicast');
}
