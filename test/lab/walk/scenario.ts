import { families } from '../../../src/netfilter/ruleset.ts';
import type { Rules } from './load-rules.ts';
import type { Probe } from './probe.ts';
import { createRandom } from './random.ts';
import { type Numbers, randomProbe, type Targets } from './random-probe.ts';
import { randomSets } from './rules/ip-sets.ts';
import { randomDump } from './rules/iptables-dump.ts';
import { randomTable } from './rules/native-table.ts';
import { mutate, readRecordings } from './rules/recordings.ts';
import { createWords } from './rules/words.ts';

export interface Scenario {
  readonly rules: Rules;
  readonly probes: readonly Probe[];
}

const nothing = { ipv4: [], ipv6: [] };
const usual: Targets = { addresses: nothing, sources: nothing, own: nothing, flows: nothing, ports: [] };

/** Random rules of both backends, and packets that they concern. The same for the same seed. */
function randomScenario(seed: number, count: number, numbers: Numbers): Scenario {
  const random = createRandom(seed);
  const taken = new Set<string>();
  const probes = Array.from({ length: count }, () =>
    randomProbe({ random, numbers, targets: usual, families, taken }),
  );
  const words = createWords(
    random,
    probes.map(({ packet }) => packet),
  );
  const sets = randomSets(words);
  const strange = random.chance(0.1);
  const dump = (chance: number, family: (typeof families)[number]) =>
    random.chance(chance) ? randomDump({ family, words, sets: sets.names[family], strange }) : [];
  const both = (chance: number) => ({ ipv4: dump(chance, 'ipv4'), ipv6: dump(chance, 'ipv6') });
  return {
    rules: {
      sets: sets.lines,
      iptables: { legacy: both(0.6), nft: both(0.7) },
      native: [],
      nativeFirst: random.chance(0.5),
    },
    probes,
  };
}

/** Native tables of nft, now and then beside those of iptables. */
function nativeScenario(seed: number, count: number, numbers: Numbers): Scenario {
  const random = createRandom(seed);
  const beside = random.chance(0.3);
  const { rules, probes } = randomScenario(seed, count, numbers);
  const words = createWords(
    random,
    probes.map(({ packet }) => packet),
  );
  const strange = random.chance(0.1);
  const native = Array.from({ length: 1 + random.below(3) }, (_, index) =>
    randomTable(words, index, strange),
  ).flat();
  if (beside) return { rules: { ...rules, native }, probes };
  return {
    rules: { sets: [], iptables: { legacy: nothing, nft: nothing }, native, nativeFirst: random.chance(0.5) },
    probes,
  };
}

/** A recorded host, as it was or changed a little. */
async function recordedScenario(seed: number, count: number, numbers: Numbers): Promise<Scenario> {
  const random = createRandom(seed);
  const { rules, targets } = random.pick(await readRecordings());
  const taken = new Set<string>();
  const probes = Array.from({ length: count }, () =>
    randomProbe({ random, numbers, targets, families, taken }),
  );
  return { rules: random.chance(0.25) ? rules : mutate(rules, random), probes };
}

/** The same for the same kind and seed. */
export async function scenarioOf(
  kind: 'random' | 'native' | 'recordings',
  seed: number,
  count: number,
  numbers: Numbers,
): Promise<Scenario> {
  switch (kind) {
    case 'random':
      return randomScenario(seed, count, numbers);
    case 'native':
      return nativeScenario(seed, count, numbers);
    case 'recordings':
      return recordedScenario(seed, count, numbers);
  }
}
