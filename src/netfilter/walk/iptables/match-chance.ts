import type { Option } from '../../rule.ts';
import { type Answer, chance } from '../answer.ts';
import { constant, type Matcher, type MatchGroup } from './matcher.ts';

/** What depends on the past, the clock or a die. */
export function chanceMatch(group: MatchGroup): readonly Matcher[] {
  const sure = certain(group);
  const words = group.options.flatMap(({ name, values, negated }) => [
    ...(negated ? ['!'] : []),
    name.replace(/^--/, ''),
    ...values,
  ]);
  return [constant(sure ?? chance(`${group.name}: ${words.join(' ')}`))];
}

function certain({ name, options }: MatchGroup): Answer | undefined {
  const find = (wanted: string): Option | undefined => options.find((option) => option.name === wanted);
  if (name === 'recent') {
    const set = find('--set');
    return set && !set.negated;
  }
  if (name !== 'statistic') return undefined;
  const probability = find('--probability');
  if (probability) {
    const value = Number(probability.values[0]);
    if (value >= 1) return !probability.negated;
    return value === 0 ? probability.negated : undefined;
  }
  const every = find('--every');
  return every?.values[0] === '1' ? !every.negated : undefined;
}
