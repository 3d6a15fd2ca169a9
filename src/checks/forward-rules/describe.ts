import type { Evidence, Finding } from '../../engine/finding.ts';
import { decisionWords } from '../../netfilter/walk/decision-words.ts';
import { whyByHand } from './by-hand.ts';
import type { Cause, Owner } from './cause.ts';
import type { FoundCause } from './find-causes.ts';
import { clusterCidrOf, type KnownPods } from './flows.ts';
import type { Surroundings } from './surroundings.ts';
import type { Blocked } from './walk-flows.ts';

/** What a cause does to pods' traffic, as a person reads it; of so many flows that were walked. */
export function describeCause(
  { cause, blocked, opening }: FoundCause,
  pods: KnownPods,
  { surroundings, walked }: { surroundings: Surroundings; walked: number },
): Finding {
  const family = blocked[0]?.flow.family ?? 'ipv4';
  const { decision } = cause;
  const verb = decision.kind === 'rule' && decision.rejectWith !== undefined ? 'rejected' : 'dropped';
  const names = [...new Set(blocked.map(({ flow }) => flow.name))];
  const what = names.length === walked ? 'all that pods send and receive' : names.join(', ');
  const text = decision.kind === 'rule' ? decision.rule.text : undefined;
  const who = describeOwner(cause, surroundings);
  // Who keeps pods from the outside may well want that; nobody wants them kept from each other.
  const isMeant = cause.owner !== 'kernel' && !cause.isGeneral;
  const isAboutOutside = names.every((name) => name.includes('outside'));
  return {
    code: cause.owner === 'kernel' ? 'forwarding-off' : 'forward-blocked',
    subject: cause.subject,
    severity: isMeant && isAboutOutside ? 'warning' : 'error',
    effect: 'rejects',
    message: `${what}${family === 'ipv6' ? ' (IPv6)' : ''}: ${verb} by ${decisionWords(decision)}${who === undefined ? '' : `: ${who}`}`,
    evidence: [
      ...(text === undefined ? [] : [{ source: 'rule', observed: text }]),
      ...names.map((name) => walkEvidence(blocked.filter(({ flow }) => flow.name === name))),
    ],
    remedy:
      opening === undefined
        ? { kind: 'none', reason: whyByHand(cause, family, clusterCidrOf(family, pods), surroundings) }
        : { kind: 'planned' },
  };
}

function walkEvidence(blocked: readonly Blocked[]): Evidence {
  const [first] = blocked;
  if (first === undefined) return { source: 'walk', observed: 'nothing' };
  const { flow } = first;
  const what = [...new Set(blocked.map(({ protocol, state }) => `${protocol} ${state.toLowerCase()}`))];
  return {
    source: flow.name,
    observed: `${flow.source} → ${flow.destination}, ${flow.inLink} → ${flow.outLink}, ${what.join(', ')}: ${first.end.fate}`,
    expected: 'pass',
  };
}

function describeOwner(cause: Cause, { ufw }: Surroundings): string | undefined {
  const { owner, decision, isGeneral } = cause;
  if (owner === 'ufw') {
    const routed = ufw.kind === 'active' ? ufw.defaults.routed : 'deny';
    const isDefault =
      decision.kind === 'policy' ||
      (decision.kind === 'rule' && /^ufw6?-(reject|skip-to-policy)-/.test(decision.rule.chain));
    if (isDefault) return `UFW's default for what is routed is ${routed}`;
    return isGeneral ? "a rule of UFW's about everything that is routed" : "a rule of UFW's";
  }
  const what = decision.kind === 'policy' ? 'policy' : 'rule';
  return ownerWords[owner]?.replace('$', what);
}

const ownerWords: Readonly<Partial<Record<Owner, string>>> = {
  'old-ufw': 'a $ that UFW has left there and does not maintain',
  docker: "Docker's $",
  'docker-user': "a $ of the operator's own beside Docker's",
  firewalld: "firewalld's $",
};
