import type { CompiledRule } from './flight.ts';

/** Finds the rules of a long chain that are for a destination. */
export interface ChainIndex {
  /** The first rule from `at` on that has to be asked about a packet to this address. */
  next(at: number, destination: string): number;
}

const indexes = new WeakMap<readonly CompiledRule[], ChainIndex>();

/** Made once for each chain; kube-proxy's have a rule for each address and port of a Service. */
export function chainIndexOf(rules: readonly CompiledRule[]): ChainIndex {
  const known = indexes.get(rules);
  if (known) return known;
  const index = rules.length < 16 ? everyRule : createIndex(rules);
  indexes.set(rules, index);
  return index;
}

const everyRule: ChainIndex = { next: (at) => at };

function createIndex(rules: readonly CompiledRule[]): ChainIndex {
  const byAddress = new Map<string, number[]>();
  /** For each place, the next rule that is for any address. */
  const nextGeneral = new Uint32Array(rules.length + 1).fill(rules.length);
  for (let at = rules.length - 1; at >= 0; at--) {
    const address = rules[at]?.onlyFor;
    nextGeneral[at] = address === undefined ? at : (nextGeneral[at + 1] ?? rules.length);
  }
  for (const [at, { onlyFor }] of rules.entries()) {
    if (onlyFor === undefined) continue;
    const places = byAddress.get(onlyFor);
    if (places) places.push(at);
    else byAddress.set(onlyFor, [at]);
  }
  return {
    next(at, destination) {
      const general = nextGeneral[at] ?? rules.length;
      const places = byAddress.get(destination);
      return places ? Math.min(general, firstFrom(places, at) ?? general) : general;
    },
  };
}

/** The first of ascending numbers that is `at` or above. */
function firstFrom(places: readonly number[], at: number): number | undefined {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return places[low];
}
