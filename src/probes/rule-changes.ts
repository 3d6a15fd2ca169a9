import type { Step, UfwRuleStep } from '../engine/step.ts';
import { describeStep } from '../engine/steps/steps.ts';
import { familiesOf } from '../engine/steps/ufw-words.ts';
import { type Backend, backends, type Family } from '../netfilter/ruleset.ts';
import type { RuleChange } from '../netfilter/walk/after-changes.ts';
import type { FirewallReading } from '../netfilter/walk/reading.ts';
import { ufwChanges } from './ufw-changes.ts';

export type RuleChanges =
  | { readonly kind: 'changes'; readonly changes: readonly RuleChange[] }
  /** It changes rules, and how cannot be told. */
  | { readonly kind: 'untold'; readonly reason: string };

/** What a step does to the rules. */
export function ruleChangesOf(step: Step, reading: FirewallReading): RuleChanges {
  switch (step.kind) {
    case 'iptables-batch': {
      const table = step.change.kind === 'remove' ? step.change.removal.table : step.change.addition.table;
      return whyUnread(reading, { ...step, table }) ?? { kind: 'changes', changes: [step] };
    }
    case 'ufw-rule':
      return changesOfUfw(step, reading);
    case 'command':
      // Without what only opens, the other steps are judged the more strictly. Taken back, it closes.
      return !step.firewall || (step.onlyOpens && !step.undoes) ? nothing : untold;
    default:
      return describeStep(step).firewall ? untold : nothing;
  }
}

const nothing: RuleChanges = { kind: 'changes', changes: [] };
const untold: RuleChanges = { kind: 'untold', reason: 'what it does to SSH and the API cannot be told' };

/** Which backend UFW writes to is not known here: to each that has its chains. */
function changesOfUfw(step: UfwRuleStep, reading: FirewallReading): RuleChanges {
  const unread = backends.flatMap((backend) =>
    familiesOf(step.rule).flatMap((family) => whyUnread(reading, { backend, family, table: 'filter' }) ?? []),
  );
  return unread[0] ?? { kind: 'changes', changes: ufwChanges(step, reading) };
}

interface Where {
  readonly backend: Backend;
  readonly family: Family;
  readonly table: string;
}

function whyUnread({ iptables }: FirewallReading, where: Where): RuleChanges | undefined {
  const dump = iptables[where.backend][where.family];
  if (dump.kind === 'unknown') return { kind: 'untold', reason: `the rules cannot be read: ${dump.reason}` };
  if (dump.kind === 'absent' || !dump.ruleset.unreadable.includes(where.table)) return undefined;
  const reason = `iptables cannot list table ${where.table}: it has rules that only nft knows`;
  return { kind: 'untold', reason };
}
