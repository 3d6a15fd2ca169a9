import type { Family } from '../../ruleset.ts';
import { parseAddress, printAddress } from '../addresses.ts';
import type { Doubt } from '../answer.ts';
import type { Branch, CompiledRule, Flight, Next, Place } from '../flight.ts';
import type { RuleRef } from '../walk.ts';
import type { Environment } from './environment.ts';
import { isObject, textOf, unwrap } from './json.ts';
import { readStatements } from './statement.ts';
import type { Step } from './step.ts';

/** A rule of nft, made ready when it is asked first. */
export function compileNftRule(
  ref: RuleRef,
  expressions: readonly unknown[],
  environment: Environment,
): CompiledRule {
  let steps: readonly Step[] | undefined;
  const onlyFor = soleDestination(expressions, environment.family);
  return {
    ref,
    ...(onlyFor !== undefined && { onlyFor }),
    follow(flight, at) {
      steps ??= readStatements(expressions, environment);
      return follow(steps, ref, flight, at);
    },
  };
}

/** The address, where the rule does nothing for packets to others. */
function soleDestination(expressions: readonly unknown[], family: Family): string | undefined {
  for (const json of expressions) {
    const [kind, match] = unwrap(json) ?? [];
    if (kind !== 'match' || !isObject(match)) return undefined;
    const [header, left] = unwrap(match['left']) ?? [];
    const right = textOf(match['right']);
    if (header !== 'payload' || match['op'] !== '==' || right === undefined) continue;
    if (!isObject(left) || left['field'] !== 'daddr') continue;
    const address = parseAddress(right, family);
    if (address) return printAddress(address);
  }
  return undefined;
}

/** A flight on its way through the statements of a rule. */
interface Going {
  readonly flight: Flight;
  readonly doubts: readonly Doubt[];
  readonly actions: readonly string[];
}

interface Gone extends Going {
  readonly next: Next;
}

const onward: Next = { kind: 'continue' };

function follow(steps: readonly Step[], ref: RuleRef, flight: Flight, at: Place): readonly Branch[] {
  let going: readonly Going[] = [{ flight, doubts: [], actions: [] }];
  const gone: Gone[] = [];
  /** What does not match is told last. */
  const missed: Gone[] = [];
  for (const step of steps) {
    going = going.flatMap((one) => take(step, one, at, { gone, missed }));
    if (going.length === 0) break;
  }
  gone.push(...going.map((one) => ({ ...one, next: onward })));
  return branchesOf(missed.length === 0 ? gone : [...gone, ...missed], ref);
}

interface Ended {
  readonly gone: Gone[];
  readonly missed: Gone[];
}

/** Those that go on; the others are added to those that ended. */
function take(step: Step, one: Going, at: Place, { gone, missed }: Ended): Going[] {
  if ('test' in step) {
    const answer = step.test(one.flight, at);
    if (answer === true) return [one];
    if (answer === false) {
      missed.push({ ...one, next: onward });
      return [];
    }
    const doubted = { ...one, doubts: [...one.doubts, answer] };
    missed.push({ ...doubted, next: onward });
    return [doubted];
  }
  return step.act(one.flight, at).flatMap(({ flight, next, doubt, action }) => {
    const after = {
      flight,
      doubts: doubt ? [...one.doubts, doubt] : one.doubts,
      actions: action === undefined ? one.actions : [...one.actions, action],
    };
    if (next.kind === 'on') return [after];
    gone.push({ ...after, next });
    return [];
  });
}

/** What comes to the same is one branch; where all of it does nothing had to be supposed. */
function branchesOf(gone: readonly Gone[], ref: RuleRef): readonly Branch[] {
  const [first] = gone;
  if (first && gone.length === 1) return [{ flight: first.flight, next: first.next, ...actionOf(first) }];
  const groups: Gone[] = [];
  for (const one of gone) {
    const i = groups.findIndex((other) => isSame(one, other));
    const other = groups[i];
    if (other) groups[i] = { ...other, doubts: [...other.doubts, ...one.doubts] };
    else groups.push(one);
  }
  return groups.map((one) => ({
    flight: one.flight,
    next: one.next,
    ...actionOf(one),
    ...(groups.length > 1 && { assumption: { rule: ref, ...joinDoubts(one.doubts) } }),
  }));
}

function isSame(a: Gone, b: Gone): boolean {
  if (a.flight !== b.flight || a.next.kind !== b.next.kind) return false;
  if ('chain' in a.next) return 'chain' in b.next && a.next.chain === b.next.chain;
  if ('with' in a.next) return 'with' in b.next && a.next.with === b.next.with;
  return true;
}

function actionOf({ actions }: Gone): { action?: string } {
  return actions.length === 0 ? {} : { action: actions.join(', ') };
}

/** All that had to be supposed, as one. */
function joinDoubts(doubts: readonly Doubt[]): Doubt {
  const isUnknown = doubts.some(({ kind }) => kind === 'unknown');
  const reasons = new Set(
    doubts.filter(({ kind }) => !isUnknown || kind === 'unknown').map(({ reason }) => reason),
  );
  return { kind: isUnknown ? 'unknown' : 'chance', reason: [...reasons].join('; ') };
}
