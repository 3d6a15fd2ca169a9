import { chainIndexOf } from './chain-index.ts';
import type { BaseChain, Branch, CompiledRule, Place } from './flight.ts';
import {
  merge,
  mergeStopped,
  type Questions,
  type Stopped,
  supposing,
  type Traveller,
  visit,
} from './traveller.ts';
import type { Decision, RuleRef } from './walk.ts';

/** What is common to one walk. */
export interface Journey {
  readonly questions: Questions;
  /** How many more rules may be asked; a walk that runs out of it has no end that could be told. */
  steps: number;
  fault: string | undefined;
}

/** What one base chain makes of those that come to it. */
export interface Outcome {
  readonly accepted: readonly Traveller[];
  /** Accepted, with a translation for their connection. */
  readonly translated: readonly Traveller[];
  readonly stopped: readonly Stopped[];
}

/** How many different flights may be under way at once, and how deep jumps may go. */
const maxFlights = 4096;
const maxDepth = 512;

export function followBaseChain(
  base: BaseChain,
  arrivals: readonly Traveller[],
  place: Place,
  journey: Journey,
): Outcome {
  const ends: Ends = { accepted: [], translated: [], stopped: [] };
  const visitor = { base, place, journey, ends };
  const left = followChain(base.ref.chain, arrivals, visitor, 0);
  const decidedBy: Decision = { kind: 'policy', chain: base.ref };
  for (const traveller of left) {
    if (base.policy === 'accept') ends.accepted.push(allow(traveller, decidedBy, base));
    else ends.stopped.push({ traveller, fate: 'drop', decidedBy });
  }
  const { accepted, translated, stopped } = ends;
  return { accepted: merge(accepted), translated: merge(translated), stopped: mergeStopped(stopped) };
}

interface Ends {
  readonly accepted: Traveller[];
  readonly translated: Traveller[];
  readonly stopped: Stopped[];
}

interface Visitor {
  readonly base: BaseChain;
  readonly place: Place;
  readonly journey: Journey;
  readonly ends: Ends;
}

/** Who comes back out of the chain: its caller goes on with them. */
function followChain(
  name: string,
  arrivals: readonly Traveller[],
  visitor: Visitor,
  depth: number,
): readonly Traveller[] {
  const { base, journey } = visitor;
  const rules = base.rules(name);
  if (!rules) {
    journey.fault ??= `a rule leads to chain ${name} of table ${base.ref.table}, which is not there`;
    return [];
  }
  if (depth > maxDepth) {
    journey.fault ??= `the jumps of table ${base.ref.table} go deeper than ${maxDepth} chains`;
    return [];
  }
  const index = chainIndexOf(rules);
  const returned: Traveller[] = [];
  let frontier = arrivals;
  for (let at = 0; frontier.length > 0 && !journey.fault; at++) {
    at = Math.min(...frontier.map(({ flight }) => index.next(at, flight.packet.destination)));
    const rule = rules[at];
    if (!rule) break;
    frontier = askAll(rule, frontier, visitor, { returned, depth });
  }
  returned.push(...frontier);
  return merge(returned);
}

interface Level {
  readonly returned: Traveller[];
  readonly depth: number;
}

function askAll(
  rule: CompiledRule,
  frontier: readonly Traveller[],
  visitor: Visitor,
  level: Level,
): readonly Traveller[] {
  const { journey, ends, place } = visitor;
  journey.steps -= frontier.length;
  if (journey.steps < 0) journey.fault ??= 'the rules lead further than can be followed';
  const next: Traveller[] = [];
  let isChanged = false;
  for (const traveller of frontier) {
    const branches = rule.follow(traveller.flight, place);
    const [only] = branches;
    if (branches.length === 1 && only?.next.kind === 'continue' && only.flight === traveller.flight) {
      next.push(traveller);
      continue;
    }
    isChanged = true;
    const question = asQuestion(rule, traveller, branches, journey.questions);
    for (const [outcome, branch] of branches.entries()) {
      const supposed = question ? supposing(traveller, question, outcome) : traveller;
      takeBranch({ ...supposed, flight: branch.flight }, { rule, branch, visitor, level, next });
    }
  }
  if (!isChanged) return frontier;
  if (next.length + ends.accepted.length + ends.translated.length + ends.stopped.length > maxFlights)
    journey.fault ??= `there are more than ${maxFlights} ways through the rules`;
  return merge(next);
}

function asQuestion(
  rule: CompiledRule,
  traveller: Traveller,
  branches: readonly Branch[],
  questions: Questions,
) {
  const assumptions = branches.map(({ assumption }) => assumption);
  if (assumptions.every((each) => each === undefined)) return undefined;
  return questions.ask(traveller, rule, branches.length > 1 ? assumptions : [...assumptions, undefined]);
}

interface Step {
  readonly rule: CompiledRule;
  readonly branch: Branch;
  readonly visitor: Visitor;
  readonly level: Level;
  /** Those who go on with the next rule of the chain. */
  readonly next: Traveller[];
}

function takeBranch(arrived: Traveller, { rule, branch, visitor, level, next }: Step): void {
  const { base, place, ends } = visitor;
  const { ref } = rule;
  const traveller = branch.action === undefined ? arrived : visit(arrived, place.hook, ref, branch.action);
  const decidedBy: Decision = { kind: 'rule', rule: ref };
  switch (branch.next.kind) {
    case 'continue':
      next.push(traveller);
      return;
    case 'accept':
      ends.accepted.push(allow(traveller, decidedBy, base));
      return;
    case 'translated':
      ends.translated.push(traveller);
      return;
    case 'drop':
      ends.stopped.push({ traveller, fate: 'drop', decidedBy });
      return;
    case 'reject':
      ends.stopped.push({
        traveller,
        fate: 'reject',
        decidedBy: { ...decidedBy, rejectWith: branch.next.with },
      });
      return;
    case 'return':
      level.returned.push(traveller);
      return;
    case 'jump':
    case 'goto': {
      const back = followChain(branch.next.chain, [traveller], visitor, level.depth + 1);
      // What came back as it went in met nothing that mattered.
      const settled = back.map((one) =>
        one.flight === arrived.flight ? { ...one, path: arrived.path } : one,
      );
      (branch.next.kind === 'jump' ? next : level.returned).push(...settled);
    }
  }
}

/** Remembers who let it through: a rule counts for more than a policy. */
function allow(traveller: Traveller, decidedBy: Decision, base: BaseChain): Traveller {
  if (base.type !== 'filter' || !isFilterPriority(base.priority)) return traveller;
  const isWeak = decidedBy.kind === 'policy' && (traveller.allowedBy?.kind === 'rule' || !hasRules(base));
  if (isWeak) return traveller;
  return { ...traveller, allowedBy: decidedBy };
}

/** raw and mangle are of this type, too, but what they accept is accepted by way of skipping. */
function isFilterPriority(priority: number): boolean {
  return priority > -100;
}

function hasRules(base: BaseChain): boolean {
  return (base.rules(base.ref.chain)?.length ?? 0) > 0;
}

/** For a chain as a whole, where there is no rule to name. */
export function wholeChain({ ref }: BaseChain): RuleRef {
  return { ...ref, number: 0, text: '' };
}
