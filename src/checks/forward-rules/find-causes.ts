import { afterChanges } from '../../netfilter/walk/after-changes.ts';
import { createFirewall, type Firewall } from '../../netfilter/walk/firewall.ts';
import type { FirewallReading } from '../../netfilter/walk/reading.ts';
import { type Cause, causeOf } from './cause.ts';
import { changesOf } from './changes-of.ts';
import { clusterCidrOf, type KnownPods, type PodFlow } from './flows.ts';
import type { Needs, Opening } from './opening.ts';
import { type Surroundings, ufwIn } from './surroundings.ts';
import { type Blocked, walkFlows } from './walk-flows.ts';

/** A cause, what it stops, and what would open it. */
export interface FoundCause {
  readonly cause: Cause;
  readonly blocked: readonly Blocked[];
  /** Undefined: nothing that a machine should do. */
  readonly opening: Opening | undefined;
}

export interface FoundCauses {
  readonly causes: readonly FoundCause[];
  readonly doubts: readonly string[];
}

/**
 * Walks the flows, finds what would open the way, and walks them again through the rules as they would be
 * then: what stands behind the first cause is found, too, and no opening is planned that does not open.
 */
export function findCauses(
  firewall: Firewall,
  { flows, pods, surroundings }: { flows: readonly PodFlow[]; pods: KnownPods; surroundings: Surroundings },
): FoundCauses {
  const first = walkFlows(firewall, flows);
  const found: FoundCause[] = [];
  let blocked = first.blocked;
  for (let round = 0; round < maxRounds && blocked.length > 0; round++) {
    const known = new Set(found.map(({ cause }) => cause.subject));
    const fresh = group(blocked, surroundings).filter(({ cause }) => !known.has(cause.subject));
    if (fresh.length === 0) break;
    for (const { cause, blocked: hurt } of fresh) {
      const reading = withOpenings(surroundings.reading, found);
      const opening = findOpening({ cause, hurt, pods, surroundings, reading });
      found.push({ cause, blocked: hurt, opening });
    }
    blocked = walkFlows(createFirewall(withOpenings(surroundings.reading, found)), flows).blocked;
  }
  return { causes: found, doubts: first.doubts };
}

/** Each round opens a table of a backend at least. */
const maxRounds = 8;

function group(blocked: readonly Blocked[], surroundings: Surroundings) {
  const causes = new Map<string, { cause: Cause; blocked: Blocked[] }>();
  for (const each of blocked) {
    const cause = causeOf(each.end, each.flow.family, surroundings);
    const known = causes.get(cause.subject);
    if (known) known.blocked.push(each);
    else causes.set(cause.subject, { cause, blocked: [each] });
  }
  return [...causes.values()];
}

function withOpenings(reading: FirewallReading, found: readonly FoundCause[]): FirewallReading {
  const openings = found.flatMap(({ opening }) => opening ?? []);
  return openings.reduce((now, opening) => afterChanges(now, changesOf(opening, now)), reading);
}

interface Closed {
  readonly cause: Cause;
  readonly hurt: readonly Blocked[];
  readonly pods: KnownPods;
  readonly surroundings: Surroundings;
  readonly reading: FirewallReading;
}

/** The first that opens: UFW's own rules last longest, and what it was told before comes first. */
function findOpening({ cause, hurt, pods, surroundings, reading }: Closed): Opening | undefined {
  const { place, isGeneral, owner } = cause;
  if (
    place === undefined ||
    !isGeneral ||
    owner === 'docker-user' ||
    owner === 'firewalld' ||
    owner === 'policy'
  )
    return undefined;
  const { backend, family, before } = place;
  const needs: Needs = {
    from: hurt.some(({ flow }) => flow.fromPod),
    to: hurt.some(({ flow }) => !flow.fromPod),
  };
  const common = { backend, family, needs, cidr: clusterCidrOf(family, pods) };
  const isUfws = ufwIn(backend, family, surroundings) === 'maintained';
  const candidates: readonly Opening[] = [
    ...(isUfws ? [false, true].map((first) => ({ ...common, kind: 'ufw' as const, first })) : []),
    { ...common, kind: 'chain', before },
  ];
  return candidates.find((opening) => {
    const then = createFirewall(afterChanges(reading, changesOf(opening, reading)));
    const left = walkFlows(then, [...new Set(hurt.map(({ flow }) => flow))]);
    return left.blocked.every(
      ({ end, flow }) => causeOf(end, flow.family, surroundings).subject !== cause.subject,
    );
  });
}
