import { unless } from '../answer.ts';
import { type Matcher, type MatchGroup, notUnderstood } from './matcher.ts';
import { readMasked } from './ranges.ts';

export function markMatch(group: MatchGroup): readonly Matcher[] {
  return group.options.map((option) => {
    const wanted = readMasked(option.values[0] ?? '');
    if (option.name !== '--mark' || !wanted) return notUnderstood(group, option);
    return ({ mark }) => unless(option.negated, (mark & wanted.mask) >>> 0 === wanted.value);
  });
}
