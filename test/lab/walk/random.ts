/** Repeatable chance: the same seed gives the same numbers on every machine. */
export interface Random {
  /** From 0 to `count` - 1. */
  below(count: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** `count` of them at most, each once, in a random order. */
  some<T>(list: readonly T[], count: number): T[];
  /** One of the makers, by its weight. */
  weighted<T>(makers: readonly (readonly [weight: number, make: () => T])[]): T;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number) => Math.floor(next() * count);
  const pick = <T>(list: readonly T[]): T => {
    const index = below(list.length);
    if (index >= list.length) throw new RangeError('nothing to pick from');
    return list[index] as T;
  };
  return {
    below,
    chance: (probability) => next() < probability,
    pick,
    some: (list, count) => {
      const left = [...list];
      const taken: (typeof left)[number][] = [];
      while (taken.length < count && left.length > 0) taken.push(...left.splice(below(left.length), 1));
      return taken;
    },
    weighted: (makers) => {
      let at = next() * makers.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, make] of makers) {
        at -= weight;
        if (at < 0) return make();
      }
      const [, last] = pick(makers);
      return last();
    },
  };
}
