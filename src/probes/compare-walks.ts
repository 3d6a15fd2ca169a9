import type { Way } from '../facts/ways/way.ts';
import { decisionWords, ruleWords } from '../netfilter/walk/decision-words.ts';
import type { Assumption, End, RuleRef, Walk } from '../netfilter/walk/walk.ts';

export type Comparison =
  | { readonly kind: 'no-worse' }
  /** `reason` follows the way's title. */
  | { readonly kind: 'worse' | 'untold'; readonly reason: string };

/** What a change does to a way, by the walks of its packet before and after. */
export function compareWalks({ isService = false }: Way, before: Walk, after: Walk): Comparison {
  if (before.verdict === 'drop' || before.verdict === 'reject') return noWorse;
  if (after.verdict === 'drop' || after.verdict === 'reject') return worse(before, describeLoss(after));
  if (after.verdict === 'depends' && before.verdict === 'pass') return worse(before, describeLoss(after));
  if (after.verdict === 'unknown') return compareUnknown(before, after);
  return compareWhere(before, after, isService);
}

const noWorse: Comparison = { kind: 'no-worse' };

function worse({ verdict }: Walk, what: string): Comparison {
  return { kind: 'worse', reason: `${verdict === 'pass' ? 'passes now and' : 'may pass now and'} ${what}` };
}

/** What nobody can tell stays as it was if it hangs on the same rules as before. */
function compareUnknown(before: Walk, after: Walk): Comparison {
  const open = unknowns(after);
  const known = new Set(unknowns(before).map(({ rule }) => identity(rule)));
  const isNew = open.find(({ rule }) => !known.has(identity(rule)));
  const [first] = isNew ? [isNew] : open;
  const why = first ? `: ${ruleWords(first.rule)} (${first.rule.text}): ${first.reason}` : '';
  if (before.verdict === 'unknown' && !isNew)
    return { kind: 'untold', reason: `may pass or not, before and after${why}` };
  return worse(before, `could not be shown to pass any more${why}`);
}

function unknowns({ ends }: Walk): readonly Assumption[] {
  return ends.flatMap(({ assumptions }) => assumptions.filter(({ kind }) => kind === 'unknown'));
}

/** Its number changes with the rules before it. */
function identity({ backend, family, table, chain, text }: RuleRef): string {
  return [backend, family, table, chain, text].join(' ');
}

/** It passes, and may be sent elsewhere. */
function compareWhere(before: Walk, after: Walk, isService: boolean): Comparison {
  const passing = (walk: Walk) => walk.ends.filter(({ fate }) => fate === 'pass');
  const arrives = (end: End) => end.way === 'in';
  if (passing(before).every(arrives)) {
    const astray = passing(after).find((end) => !arrives(end));
    if (astray) return worse(before, `would not come to this node any more${whoTranslated(astray)}`);
  }
  const isTranslated = (end: End) => end.destinationTranslated;
  if (isService && passing(before).every(isTranslated) && !passing(after).every(isTranslated))
    return worse(before, 'would not be sent to any server any more: no rule translates its address');
  return noWorse;
}

function whoTranslated({ path, packet }: End): string {
  const visit = path.findLast(({ action }) => /^to \S/.test(action));
  const { destination } = packet;
  return visit ? `: ${ruleWords(visit.rule)} (${visit.rule.text}) sends it to ${destination}` : '';
}

function describeLoss({ verdict, ends }: Walk): string {
  const end = ends.find(({ fate }) => fate !== 'pass');
  const text = end?.decidedBy.kind === 'rule' ? ` (${end.decidedBy.rule.text})` : '';
  const by = end ? ` by ${decisionWords(end.decidedBy)}${text}` : '';
  switch (verdict) {
    case 'reject':
      return `would be rejected${by}`;
    case 'depends':
      return `might be ${end?.fate === 'reject' ? 'rejected' : 'dropped'}${by}`;
    default:
      return `would be dropped${by}`;
  }
}
