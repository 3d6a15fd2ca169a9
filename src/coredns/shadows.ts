import type { Stanza } from './forward-stanza.ts';
import { isWithin } from './zones.ts';

/** Whether earlier forwards of the same block answer for every name that this one is for. */
export function isShadowed(stanza: Stanza, earlier: readonly Stanza[], zones: readonly string[]): boolean {
  const final = earlier.filter(({ hasNext }) => !hasNext);
  const named = [...zones, ...[...earlier, stanza].flatMap(({ from, except }) => [from, ...except])];
  // Forwards tell names apart only by these: whether it is one of them, and which of them it is below.
  const names = [...new Set(named.flatMap((name) => [name, name === '.' ? '*.' : `*.${name}`]))];
  const own = names.filter((name) => zones.some((zone) => isWithin(name, zone)) && isFor(stanza, name));
  return own.length > 0 && own.every((name) => final.some((other) => isFor(other, name)));
}

function isFor({ from, except }: Stanza, name: string): boolean {
  return isWithin(name, from) && (name === from || !except.some((zone) => isWithin(name, zone)));
}
