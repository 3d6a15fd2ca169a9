import { constant, type Matcher, type MatchGroup, notUnderstood } from './matcher.ts';

/** An IPv6 header that a packet which is walked does not have. */
export function absentHeader(): readonly Matcher[] {
  return [constant(false)];
}

/** Neighbour discovery is sent with the highest hop limit, or the kernel throws it away. */
export function hopLimitMatch(group: MatchGroup): readonly Matcher[] {
  return group.options.map((option) => {
    const doubt = notUnderstood(group, option);
    const isHighest = option.name === '--hl-eq' && option.values[0] === '255';
    return (flight, at) => {
      const { transport } = flight.packet;
      const { type = 0 } = transport.protocol === 'icmp' ? transport : {};
      return isHighest && type >= 133 && type <= 137 ? !option.negated : doubt(flight, at);
    };
  });
}
