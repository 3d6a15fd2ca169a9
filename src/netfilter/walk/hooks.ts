import type { Backend } from '../ruleset.ts';
import { type Disorder, type Passed, passInAnyOrder, type Station } from './any-order.ts';
import { tableWords } from './decision-words.ts';
import type { BaseChain, Hook, Place } from './flight.ts';
import { followBaseChain, type Journey, type Outcome, wholeChain } from './follow-chain.ts';
import { merge, type Stopped, type Traveller } from './traveller.ts';
import type { RuleRef } from './walk.ts';

/** All base chains, by hook, in the order in which the kernel asks them. */
export interface Hooks {
  pass(hook: Hook, arrivals: readonly Traveller[], journey: Journey, passing: Passing): Passed;
}

export interface Passing {
  /** Again, over a loopback link: conntrack knows it by now, and nat is not asked. */
  readonly isLooped: boolean;
  /** What the kernel does as soon as a destination is translated. */
  afterNat?(going: readonly Traveller[]): Passed;
}

const conntrackPriority = -200;

/** Every nat chain, whatever its own priority, is asked by conntrack's one hook for translations. */
const natPriority: Readonly<Record<Hook, number>> = {
  prerouting: -100,
  output: -100,
  input: 100,
  postrouting: 100,
  forward: 100,
};

export function createHooks(chains: readonly BaseChain[], natFirst: Backend | undefined): Hooks {
  const known = new Map<string, readonly Rank[]>();
  return {
    pass(hook, arrivals, journey, { isLooped, afterNat }) {
      const key = `${hook} ${isLooped}`;
      const groups = known.get(key) ?? orderStations(chains, hook, isLooped, natFirst);
      known.set(key, groups);
      const stopped: Stopped[] = [];
      let going = arrivals;
      for (const { hasNat, disorder } of groups) {
        if (going.length === 0) break;
        const passed = passInAnyOrder(disorder, going, journey);
        const left = (hasNat && afterNat?.(passed.through)) || { through: passed.through, stopped: [] };
        stopped.push(...passed.stopped, ...left.stopped);
        going = left.through;
      }
      return { through: going, stopped };
    },
  };
}

/** All that is asked at one priority. */
interface Rank {
  readonly hasNat: boolean;
  readonly disorder: Disorder;
}

function orderStations(
  chains: readonly BaseChain[],
  hook: Hook,
  isLooped: boolean,
  natFirst: Backend | undefined,
): readonly Rank[] {
  const here = chains.filter((chain) => chain.hook === hook);
  const stations = here
    .filter(({ type }) => type !== 'nat')
    .map((chain) => ({ chain, priority: chain.priority, station: chainStation(chain, isLooped) }));
  const [nat, ...more] = here.filter(({ type }) => type === 'nat').sort((a, b) => a.priority - b.priority);
  if (nat && !isLooped)
    stations.push({
      chain: nat,
      priority: natPriority[hook],
      station: natStation([nat, ...more], wholeChain(nat), natFirst),
    });
  const groups = Map.groupBy(stations, ({ priority }) => priority);
  return [...groups]
    .sort(([a], [b]) => a - b)
    .flatMap(([, group]) => {
      const [first] = group;
      if (!first) return [];
      const tiers = [group.map(({ station }) => station)];
      const hasNat = group.some(({ chain }) => chain.type === 'nat');
      return [{ hasNat, disorder: { tiers, rule: wholeChain(first.chain), goesOn } }];
    });
}

function goesOn({ accepted, translated }: Outcome) {
  return { on: merge([...accepted, ...translated]), done: [] };
}

function chainStation(chain: BaseChain, isLooped: boolean): Station {
  const place: Place = { hook: chain.hook, tracked: isLooped || chain.priority > conntrackPriority };
  return {
    name: nameOf(chain),
    pass: (arrivals, journey) => followBaseChain(chain, arrivals, place, journey),
  };
}

/** Asks about new connections only; the first chain that has a translation wins. */
function natStation(chains: readonly BaseChain[], rule: RuleRef, natFirst: Backend | undefined): Station {
  const stations = new Map(chains.map((chain) => [chainStation(chain, false), chain]));
  const tiers = Map.groupBy(stations.keys(), (station) => stations.get(station)?.priority ?? 0);
  const disorder: Disorder = {
    tiers: [...tiers.values()],
    rule,
    isPossible(order) {
      const backends = order.map((station) => stations.get(station)?.ref.backend);
      const other = natFirst === 'legacy' ? 'nft' : 'legacy';
      return natFirst === undefined || !backends.includes(natFirst) || !backends.includes(other)
        ? true
        : backends.indexOf(natFirst) < backends.indexOf(other);
    },
    goesOn: ({ accepted, translated }) => ({ on: accepted, done: translated }),
  };
  return {
    name: 'nat',
    pass(arrivals, journey) {
      const [asked = [], others = []] = partition(arrivals, ({ flight }) => flight.packet.state === 'NEW');
      const { through, stopped } = passInAnyOrder(disorder, asked, journey);
      return {
        accepted: others.length === 0 ? through : merge([...others, ...through]),
        translated: [],
        stopped,
      };
    },
  };
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): readonly (readonly T[])[] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

function nameOf({ ref }: BaseChain): string {
  return `${ref.chain} of ${tableWords(ref)}`;
}
