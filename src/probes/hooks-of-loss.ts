import { tableWords } from '../netfilter/walk/decision-words.ts';
import type { ChainRef, End, Visit, Walk } from '../netfilter/walk/walk.ts';

/** Where in the rules a packet may be lost, such as `iptables-nft filter INPUT`; none where it is sure to pass. */
export function hooksOfLoss({ verdict, ends }: Walk): readonly string[] {
  if (verdict === 'pass') return [];
  const lost = ends.filter(({ fate }) => fate !== 'pass').map(hookOf);
  const untold = verdict === 'unknown' ? ends.flatMap(untoldIn) : [];
  return [...new Set([...lost, ...untold])];
}

function hookOf({ decidedBy, path }: End): string {
  switch (decidedBy.kind) {
    case 'rule':
      return hookTitle(decidedBy.rule, path);
    case 'policy':
      return hookTitle(decidedBy.chain, path);
    case 'kernel':
      return decidedBy.reason;
    case 'nothing':
      return 'no rule';
  }
}

function untoldIn({ assumptions, path }: End): readonly string[] {
  return assumptions.filter(({ kind }) => kind === 'unknown').map(({ rule }) => hookTitle(rule, path));
}

/** A rule may stand in a chain that was jumped to: the path knows from which hook. */
function hookTitle(ref: ChainRef, path: readonly Visit[]): string {
  const visit = path.findLast(
    ({ rule }) => rule.backend === ref.backend && rule.table === ref.table && rule.chain === ref.chain,
  );
  const hook = visit?.hook;
  if (hook === undefined) return `${tableWords(ref)} ${ref.chain}`;
  return `${tableWords(ref)} ${ref.backend === 'native' ? hook : hook.toUpperCase()}`;
}
