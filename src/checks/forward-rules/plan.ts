import type { IptablesBatchStep, Step, UfwRuleSpec, UfwRuleStep } from '../../engine/step.ts';
import type { Ufw } from '../../facts/ufw.ts';
import { withoutCounters } from '../../netfilter/rule.ts';
import { ruleLines } from '../../netfilter/ruleset.ts';
import type { RuleRef } from '../../netfilter/walk/walk.ts';
import type { Opening } from './opening.ts';
import { chainChanges } from './own-chain.ts';
import type { Surroundings } from './surroundings.ts';
import { ufwRules } from './ufw-routes.ts';

/** The steps that make these openings, each rule once. UFW's first: they are the ones that last. */
export function stepsFor(openings: readonly Opening[], { reading, ufw }: Surroundings): readonly Step[] {
  const ufwSteps = mergeAlike(openings.filter(({ kind }) => kind === 'ufw')).flatMap((opening) =>
    opening.kind === 'ufw' ? ufwRules(opening).flatMap((rule) => ufwStepsFor(rule, ufw)) : [],
  );
  const batches = mergeAlike(openings.filter(({ kind }) => kind === 'chain')).flatMap(batchesFor);
  return [...ufwSteps, ...batches];

  function batchesFor(opening: Opening): readonly IptablesBatchStep[] {
    const { backend, family } = opening;
    const dump = reading.iptables[backend][family];
    if (opening.kind !== 'chain' || dump.kind !== 'present') return [];
    return chainChanges(opening, dump.ruleset).map((change) => ({
      kind: 'iptables-batch',
      backend,
      family,
      change,
      ownersWrite: true,
    }));
  }

  function mergeAlike(same: readonly Opening[]): readonly Opening[] {
    const groups = Map.groupBy(same, ({ backend, family }) => `${backend} ${family}`);
    return [...groups.values()].flatMap((group) => {
      const [first] = group;
      return first === undefined ? [] : [group.reduce(merge, first)];
    });
  }

  function merge(a: Opening, b: Opening): Opening {
    const needs = { from: a.needs.from || b.needs.from, to: a.needs.to || b.needs.to };
    if (a.kind === 'ufw') return { ...a, needs, first: a.first || (b.kind === 'ufw' && b.first) };
    return { ...a, needs, before: b.kind === 'chain' ? earlier(a, b) : a.before };
  }

  function earlier(a: Opening & { kind: 'chain' }, b: Opening & { kind: 'chain' }): RuleRef | undefined {
    return positionOf(b) < positionOf(a) ? b.before : a.before;
  }

  function positionOf({ backend, family, before }: Opening & { kind: 'chain' }): number {
    const dump = reading.iptables[backend][family];
    const forward =
      dump.kind === 'present' ? dump.ruleset.tables.get('filter')?.chains.get('FORWARD') : undefined;
    if (dump.kind !== 'present' || forward === undefined || before === undefined)
      return Number.POSITIVE_INFINITY;
    return [...ruleLines(dump.ruleset, forward)].findIndex((line) => withoutCounters(line) === before.text);
  }
}

/** One of ours that comes too late has to go before it can be put ahead. */
function ufwStepsFor(rule: UfwRuleSpec, ufw: Ufw): readonly UfwRuleStep[] {
  const late = rule.first && ufw.kind === 'active' && ufw.rules.some((each) => isSame(each, rule));
  const add: UfwRuleStep = { kind: 'ufw-rule', change: 'add', rule };
  return late ? [{ ...add, change: 'delete' }, add] : [add];
}

function isSame(
  { route, source, destination, comment }: Extract<Ufw, { kind: 'active' }>['rules'][number],
  rule: UfwRuleSpec,
): boolean {
  const isAny = (address: string) => ['any', '0.0.0.0/0', '::/0'].includes(address);
  const isAlike = (a: string, b: string) => a === b || (isAny(a) && isAny(b));
  return (
    route &&
    comment === rule.comment &&
    isAlike(source, rule.source) &&
    isAlike(destination, rule.destination)
  );
}
