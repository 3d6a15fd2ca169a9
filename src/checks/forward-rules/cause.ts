import { parseRule } from '../../netfilter/rule.ts';
import type { Backend, Family } from '../../netfilter/ruleset.ts';
import { tableWords } from '../../netfilter/walk/decision-words.ts';
import type { ChainRef, Decision, End, RuleRef } from '../../netfilter/walk/walk.ts';
import { hasDocker, type Surroundings, ufwIn } from './surroundings.ts';

/** A rule or policy that stops pods' traffic, or the kernel itself. */
export interface Cause {
  /** The same in every run. */
  readonly subject: string;
  readonly decision: Decision;
  readonly owner: Owner;
  /** Whether it is about everything that is forwarded, and not about some addresses, ports or links. */
  readonly isGeneral: boolean;
  /** Where what goes ahead of it has to go; undefined: an iptables rule in filter FORWARD would not help. */
  readonly place: Place | undefined;
}

/**
 * `ufw`: of the backend that UFW maintains. `old-ufw`: its rules where it does not maintain them.
 * `policy`: network policies of the cluster's own. `unknown`: it could be anybody's.
 */
export type Owner =
  | 'ufw'
  | 'old-ufw'
  | 'docker'
  | 'docker-user'
  | 'firewalld'
  | 'policy'
  | 'native'
  | 'kernel'
  | 'unknown';

export interface Place {
  readonly backend: Backend;
  readonly family: Family;
  /** The rule of FORWARD that leads there, as printed, and which of those alike, from 0; undefined: the policy does. */
  readonly before: RuleRef | undefined;
}

export function causeOf(end: End, family: Family, surroundings: Surroundings): Cause {
  const { decidedBy: decision } = end;
  if (decision.kind === 'kernel' || decision.kind === 'nothing') {
    const subject = `${family} ${decision.kind === 'kernel' ? decision.reason : 'nothing'}`;
    return { subject, decision, owner: 'kernel', isGeneral: false, place: undefined };
  }
  const at = decision.kind === 'rule' ? decision.rule : decision.chain;
  const what = decision.kind === 'rule' ? withoutNumbers(decision.rule) : `${at.chain} policy`;
  const way = decision.kind === 'rule' ? wayTo(decision.rule, end) : [];
  return {
    subject: `${tableWords(at)} ${what}`,
    decision,
    owner: ownerOf(at, { isPolicy: decision.kind === 'policy', family, surroundings }),
    isGeneral: way.every(isAboutEverything),
    place: placeOf(at, { way, family }),
  };
}

/** As printed; a native rule has no chain in its text. */
function withoutNumbers({ backend, chain, text }: RuleRef): string {
  return backend === 'native' ? `${chain} ${text}` : text;
}

/** The rules that led there, from the built-in chain on, and itself. */
function wayTo(decider: RuleRef, { path }: End): readonly RuleRef[] {
  const way = [decider];
  for (const { rule, action } of path.toReversed()) {
    const [first] = way;
    if (first === undefined || rule.table !== decider.table || rule.backend !== decider.backend) continue;
    if (action === `jump to ${first.chain}` || action === `go to ${first.chain}`) {
      way.unshift(rule);
    }
  }
  return way;
}

/** Says nothing of who sends what to whom. */
function isAboutEverything({ backend, text }: RuleRef): boolean {
  if (backend === 'native') return !/ (saddr|daddr|sport|dport|iifname|oifname|mark) /.test(` ${text}`);
  const rule = parseRule(text);
  return rule?.options.every(({ name, negated }) => !negated && matchesAnything.has(name)) === true;
}

const matchesAnything = new Set(['-m', '--comment', '--ctstate', '--state', '-p']);

function placeOf(
  at: ChainRef,
  { way, family }: { readonly way: readonly RuleRef[]; readonly family: Family },
): Place | undefined {
  if (at.backend === 'native' || at.table !== 'filter') return undefined;
  return { backend: at.backend, family, before: way[0] };
}

interface Circumstances {
  readonly isPolicy: boolean;
  readonly family: Family;
  readonly surroundings: Surroundings;
}

function ownerOf(at: ChainRef, { isPolicy, family, surroundings }: Circumstances): Owner {
  const { chain, backend } = at;
  if (backend === 'native') return at.table === 'firewalld' ? 'firewalld' : 'native';
  if (/^KUBE-(ROUTER|NWPLCY|POD-FW)-/.test(chain)) return 'policy';
  if (chain === 'DOCKER-USER') return 'docker-user';
  if (chain.startsWith('DOCKER')) return 'docker';
  const ufw = ufwIn(backend, family, surroundings);
  if (/^ufw6?-/.test(chain)) return ufw === 'maintained' ? 'ufw' : 'old-ufw';
  if (surroundings.firewalld && /^FORWARD(_|$)|^FWD[IO]?_/.test(chain) && hasZones(at, surroundings)) {
    return 'firewalld';
  }
  if (!isPolicy) return 'unknown';
  if (ufw === 'maintained') return 'ufw';
  if (ufw === 'left') return 'old-ufw';
  return hasDocker(backend, family, surroundings) ? 'docker' : 'unknown';
}

/** firewalld writes iptables rules where it is told to. */
function hasZones({ backend, family }: ChainRef, { reading }: Surroundings): boolean {
  if (backend === 'native' || (family !== 'ipv4' && family !== 'ipv6')) return false;
  const dump = reading.iptables[backend][family];
  return dump.kind === 'present' && dump.ruleset.tables.get('filter')?.chains.has('FORWARD_direct') === true;
}
