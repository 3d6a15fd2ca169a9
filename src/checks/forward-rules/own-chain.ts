import type { IptablesBatchStep } from '../../engine/step.ts';
import { fingerprintOf } from '../../netfilter/fingerprint.ts';
import { type Removal, removalDigest } from '../../netfilter/removal.ts';
import { withoutCounters } from '../../netfilter/rule.ts';
import { type Chain, type Ruleset, ruleLines } from '../../netfilter/ruleset.ts';
import type { RuleRef } from '../../netfilter/walk/walk.ts';
import { acceptRules, type Needs, type Opening } from './opening.ts';

type Change = IptablesBatchStep['change'];

/**
 * Neither "flannel" nor "KUBE-" nor "CNI-" may be in our lines: k3s-killall.sh takes every line out that
 * has one of these words. And no spec may be that of Flannel's own jump, which it deletes by its spec.
 */
const ownChain = 'K3S-DOCTOR-FORWARD';
const comment = ' -m comment --comment "k3s-doctor: pods"';
const jump = `-A FORWARD${comment} -j ${ownChain}`;

/**
 * Puts our accepts into a chain of their own, and a jump to it right ahead of what is in the way: what
 * network policies and everybody else's rules before that say still holds. A chain of ours that says
 * something else, or comes too late, goes first.
 */
export function chainChanges(
  opening: Opening & { readonly kind: 'chain' },
  ruleset: Ruleset,
): readonly Change[] {
  const filter = ruleset.tables.get('filter');
  const forward = filter?.chains.get('FORWARD');
  if (forward === undefined) return [];
  const old = filter?.chains.get(ownChain);
  const lines = [...ruleLines(ruleset, forward)];
  const others = lines.filter((line) => withoutCounters(line) !== jump);
  const said = old === undefined ? [] : withoutCountersAll(ruleset, old);
  const rules = acceptRules(ownChain, { cidr: opening.cidr, needs: withEarlier(opening, said) }, comment);
  const isSame = old !== undefined && said.join() === rules.map(withoutCounters).join();
  const isCalled = others.length < lines.length;
  const at = placeIn(others, opening.before);
  return [
    ...(old && (!isSame || isCalled) ? [removalOf(old, lines, ruleset)] : []),
    {
      kind: 'add',
      isNew: true,
      addition: {
        table: 'filter',
        chains: [{ name: ownChain, lines: rules }],
        inserts: [{ chain: 'FORWARD', lines: others.toSpliced(at, 0, `[0:0] ${jump}`), wanted: [at] }],
      },
    },
  ];
}

function placeIn(lines: readonly string[], before: RuleRef | undefined): number {
  const at = before === undefined ? -1 : lines.findIndex((line) => withoutCounters(line) === before.text);
  return at === -1 ? lines.length : at;
}

/** What it lets through already it goes on to let through. */
function withEarlier({ needs, cidr }: Opening, said: readonly string[]): Needs {
  const has = (option: string) => said.some((line) => line.includes(` ${option} ${cidr} `));
  return { from: needs.from || has('-s'), to: needs.to || has('-d') };
}

function withoutCountersAll(ruleset: Ruleset, chain: Chain): readonly string[] {
  return [...ruleLines(ruleset, chain)].map(withoutCounters);
}

function removalOf(chain: Chain, forward: readonly string[], ruleset: Ruleset): Change {
  const rules = forward
    .map(withoutCounters)
    .filter((line) => line === jump)
    .map((line) => ({ chain: 'FORWARD', line }));
  const removal: Removal = { table: 'filter', chains: [ownChain], rules };
  const fingerprint = fingerprintOf(ruleset, chain);
  return { kind: 'remove', removal, digest: removalDigest(removal, () => fingerprint) };
}
