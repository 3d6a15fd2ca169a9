import { parseRule, withoutCounters } from '../../rule.ts';
import { parseAddress, printAddress } from '../addresses.ts';
import { type Answer, type Doubt, unknown, worse } from '../answer.ts';
import type { Branch, CompiledRule } from '../flight.ts';
import type { Assumption, ChainRef, RuleRef } from '../walk.ts';
import type { Matcher, RuleContext } from './matcher.ts';
import { compileMatches } from './matches.ts';
import type { Outcome, Target } from './target.ts';
import { compileTarget } from './targets.ts';

/** A line of a dump, made ready when it is first asked. What is not understood of it is `unknown` then. */
export function compileLine(
  line: string,
  chain: ChainRef,
  number: number,
  context: RuleContext,
): CompiledRule {
  const text = withoutCounters(line);
  const ref: RuleRef = { ...chain, number, text };
  const onlyFor = soleDestination(text);
  let follow: CompiledRule['follow'] | undefined;
  return {
    ref,
    ...(onlyFor !== undefined && { onlyFor }),
    follow(flight, at) {
      follow ??= readFollower(ref, context);
      return follow(flight, at);
    },
  };
}

function readFollower(ref: RuleRef, context: RuleContext): CompiledRule['follow'] {
  const rule = parseRule(ref.text);
  if (!rule) return anyOutcome(ref, unknown('the rule cannot be read'));
  return follower(ref, compileMatches(rule, context), compileTarget(rule.jump, context));
}

function follower(ref: RuleRef, matchers: readonly Matcher[], target: Target): CompiledRule['follow'] {
  return (flight, at) => {
    const next = { kind: 'continue' } as const;
    let doubt: Doubt | undefined;
    for (const matcher of matchers) {
      const answer = matcher(flight, at);
      if (answer === false) return [{ flight, next }];
      if (answer !== true) doubt = doubt ? doubtOf(worse(doubt, answer)) : answer;
    }
    const outcomes = target(flight, at);
    const [only] = outcomes;
    if (!doubt && outcomes.every((outcome) => outcome.doubt === undefined)) return outcomes;
    if (!doubt || (outcomes.length === 1 && only?.next.kind === 'continue' && only.flight === flight))
      return outcomes.map((outcome) => toBranch(ref, outcome, undefined));
    const assumption: Assumption = { rule: ref, ...doubt };
    return [...outcomes.map((outcome) => toBranch(ref, outcome, doubt)), { flight, next, assumption }];
  };
}

function doubtOf(answer: Answer): Doubt | undefined {
  return typeof answer === 'boolean' ? undefined : answer;
}

function toBranch(ref: RuleRef, { doubt: own, ...branch }: Outcome, doubt: Doubt | undefined): Branch {
  const all = own && doubt ? doubtOf(worse(own, doubt)) : (own ?? doubt);
  return all ? { ...branch, assumption: { rule: ref, ...all } } : branch;
}

/** Of a rule of which nobody knows what it does. */
function anyOutcome(ref: RuleRef, doubt: Doubt): CompiledRule['follow'] {
  const assumption: Assumption = { rule: ref, ...doubt };
  return (flight) =>
    (['continue', 'accept', 'drop'] as const).map((kind) => ({ flight, next: { kind }, assumption }));
}

/** As the tools print it: `-s` and `-d` come first. Long chains are full of rules for one address each. */
function soleDestination(text: string): string | undefined {
  const [, ipv4, ipv6] =
    /^-A \S+ (?:(?:! )?-s \S+ )?-d (?:([\d.]+)\/32|([\da-f:.]+)\/128)(?: |$)/.exec(text) ?? [];
  if (ipv4 !== undefined) return ipv4;
  const address = ipv6 === undefined ? undefined : parseAddress(ipv6, 'ipv6');
  return address && printAddress(address);
}
