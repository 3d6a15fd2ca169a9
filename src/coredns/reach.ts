import type { ExpandedBlock } from './expand.ts';
import type { Stanza } from './forward-stanza.ts';
import type { Served } from './server-blocks.ts';
import { isWithin } from './zones.ts';

/** Of which names a server block gets to see questions. */
export interface Reach {
  readonly zones: readonly string[];
  /** Zones below these that another block serves at the same port. */
  readonly others: readonly string[];
}

export function reachOf(block: ExpandedBlock, served: ReadonlyMap<ExpandedBlock, readonly Served[]>): Reach {
  const own = served.get(block) ?? [];
  const zones = own.map(({ zone }) => zone);
  const others = [...served]
    .filter(([other]) => other !== block && !other.plugins.has('view') && !other.plugins.has('bind'))
    .flatMap(([, theirs]) => theirs)
    .filter(({ zone, port, transport }) =>
      own.some((each) => each.port === port && each.transport === transport && isWithin(zone, each.zone)),
    );
  return { zones, others: others.map(({ zone }) => zone) };
}

/** What of its zone a forward is asked for; of one zone and another below it, the first. */
export function zonesAsked(stanza: Stanza, reach: Reach): readonly string[] {
  const { from } = stanza;
  const both = reach.zones.flatMap((zone) => {
    if (isWithin(zone, from)) return [zone];
    return isWithin(from, zone) ? [from] : [];
  });
  const asked = both.filter((zone) => namesAsked(stanza, zone, reach, []).length > 0);
  const widest = asked.filter((zone) => !asked.some((other) => other !== zone && isWithin(zone, other)));
  return [...new Set(widest)];
}

/** Whether earlier forwards of its block answer for every name of a zone that a forward would be asked for. */
export function isShadowed(stanza: Stanza, earlier: readonly Stanza[], zone: string, reach: Reach): boolean {
  const final = earlier.filter(({ hasNext }) => !hasNext);
  const names = namesAsked(stanza, zone, reach, earlier);
  return names.every((name) => final.some((other) => isFor(other, name)));
}

/** Names that stand for all in a zone that a forward is for: nothing but its words tells any two apart. */
function namesAsked(
  stanza: Stanza,
  zone: string,
  reach: Reach,
  earlier: readonly Stanza[],
): readonly string[] {
  const words = [stanza, ...earlier].flatMap(({ from, except }) => [from, ...except]);
  const all = [zone, ...reach.zones, ...reach.others, ...words];
  const names = all.flatMap((name) => [name, name === '.' ? '*.' : `*.${name}`]);
  return [...new Set(names)].filter(
    (name) => isWithin(name, zone) && isReached(name, reach) && isFor(stanza, name),
  );
}

function isReached(name: string, { zones, others }: Reach): boolean {
  const nearest = (all: readonly string[]) =>
    Math.max(
      -1,
      ...all.filter((zone) => isWithin(name, zone)).map((zone) => (zone === '.' ? 0 : zone.length)),
    );
  return nearest(zones) >= nearest(others);
}

function isFor({ from, except }: Stanza, name: string): boolean {
  return isWithin(name, from) && (name === from || !except.some((zone) => isWithin(name, zone)));
}
