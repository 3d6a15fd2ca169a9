import type { UfwRuleStep } from '../engine/step.ts';
import { chainOf, familiesOf, kernelRules, normalizeRule } from '../engine/steps/ufw-words.ts';
import { withoutCounters } from '../netfilter/rule.ts';
import { backends, ruleLines } from '../netfilter/ruleset.ts';
import type { RuleChange } from '../netfilter/walk/after-changes.ts';
import type { FirewallReading } from '../netfilter/walk/reading.ts';

/**
 * What UFW does to its own chains, in each backend that has them: a rule goes to the end or the
 * beginning, or the first rule alike is deleted.
 */
export function ufwChanges(step: UfwRuleStep, { iptables }: FirewallReading): readonly RuleChange[] {
  const { change, rule } = step;
  return backends.flatMap((backend) =>
    familiesOf(rule).flatMap((family): RuleChange[] => {
      const dump = iptables[backend][family];
      const name = chainOf(rule, family);
      const table = dump.kind === 'present' ? dump.ruleset.tables.get('filter') : undefined;
      const chain = table?.chains.get(name);
      if (dump.kind !== 'present' || !chain) return [];
      const lines = [...ruleLines(dump.ruleset, chain)];
      const wanted = kernelRules(rule, family);
      if (change === 'delete') {
        const rules = wanted.flatMap((each) => {
          const line = lines.map(withoutCounters).find((there) => normalizeRule(there) === each);
          return line === undefined ? [] : [{ chain: name, line }];
        });
        const removal = { table: 'filter', chains: [], rules };
        return rules.length === 0 ? [] : [{ backend, family, change: { kind: 'remove', removal } }];
      }
      const added = wanted.map(asSaved);
      const all = rule.first ? [...added, ...lines] : [...lines, ...added];
      const indexes = added.map((_, index) => (rule.first ? index : lines.length + index));
      const inserts = [{ chain: name, lines: all, wanted: indexes }];
      const addition = { table: 'filter', chains: [], inserts };
      return [{ backend, family, change: { kind: 'add', addition } }];
    }),
  );
}

/** The words of a normalized rule in the order in which iptables-save prints them. */
function asSaved(rule: string): string {
  const rank = (word: string) => order.findIndex((begin) => word.startsWith(begin));
  return rule
    .split(/ (?=-)/)
    .sort((a, b) => rank(a) - rank(b))
    .join(' ');
}

const order = ['-A ', '-s ', '-d ', '-i ', '-o ', '-p ', '-m ', '--', '-j '];
