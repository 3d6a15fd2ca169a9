import { unless } from '../answer.ts';
import { matchesSet } from '../sets.ts';
import { type Matcher, type MatchGroup, notUnderstood, type RuleContext } from './matcher.ts';

/** `--match-set NAME src,dst`; what sets count is not known. */
export function setMatch(group: MatchGroup, { reading }: RuleContext): readonly Matcher[] {
  const matchers: Matcher[] = [];
  for (const option of group.options) {
    const [name = '', directions = ''] = option.values;
    if (option.name === '--match-set')
      matchers.push((flight) =>
        unless(option.negated, matchesSet(reading.sets, name, flight, directions.split(','))),
      );
    else if (!harmless.has(option.name)) matchers.push(notUnderstood(group, option));
  }
  return matchers;
}

const harmless = new Set(['--update-counters', '--update-subcounters']);
