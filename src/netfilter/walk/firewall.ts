import type { Family } from '../ruleset.ts';
import type { Passed } from './any-order.ts';
import { decide, type Finish, unreadWalk } from './decide.ts';
import type { BaseChain, Hook } from './flight.ts';
import type { Journey } from './follow-chain.ts';
import { createHooks, type Hooks, type Passing } from './hooks.ts';
import { iptablesChains } from './iptables/base-chains.ts';
import { nativeBaseChains } from './nft/base-chains.ts';
import type { Packet } from './packet.ts';
import type { FirewallReading } from './reading.ts';
import { startFlight } from './start-flight.ts';
import { createQuestions, merge, type Stopped, setOut, type Traveller } from './traveller.ts';
import { type Unread, unreadIn } from './unread.ts';
import type { End, Walk } from './walk.ts';
import { loopbackOf, waysOfArrival, waysOfDeparture } from './ways.ts';

/** A node's rules, ready to be asked about packets. Chains are compiled when the first packet comes to them. */
export interface Firewall {
  readonly reading: FirewallReading;
  /**
   * Walks one packet through every table of every backend, through routing, and through the hooks that
   * follow from it. Throws RangeError for a packet whose addresses cannot be read.
   */
  walk(packet: Packet): Walk;
}

export function createFirewall(reading: FirewallReading): Firewall {
  const rules = new Map<Family, FamilyRules>();
  return {
    reading,
    walk(packet) {
      const start = setOut(startFlight(packet));
      const known = rules.get(packet.family) ?? readRules(reading, packet.family);
      rules.set(packet.family, known);
      const trip = createTrip(reading, known.hooks);
      if (packet.origin.kind === 'link') trip.arrive([start], false);
      else trip.depart([start]);
      const { fault } = trip.journey;
      if (fault !== undefined) return unreadWalk(start, fault);
      return decide(trip.finished, known.unread);
    },
  };
}

interface FamilyRules {
  readonly hooks: Hooks;
  readonly unread: readonly Unread[];
}

function readRules(reading: FirewallReading, family: Family): FamilyRules {
  const chains: readonly BaseChain[] = [
    ...iptablesChains(reading, family),
    ...nativeBaseChains(reading, family),
  ];
  return { hooks: createHooks(chains, reading.natFirst[family]), unread: unreadIn(reading, family) };
}

/** How many rules one packet may be asked about. */
const maxSteps = 2_000_000;

interface Trip {
  readonly journey: Journey;
  readonly finished: readonly Finish[];
  arrive(travellers: readonly Traveller[], isLooped: boolean): void;
  depart(travellers: readonly Traveller[]): void;
}

function createTrip({ network }: FirewallReading, hooks: Hooks): Trip {
  const journey: Journey = { questions: createQuestions(), steps: maxSteps, fault: undefined };
  const finished: Finish[] = [];
  return { journey, finished, arrive, depart };

  function arrive(travellers: readonly Traveller[], isLooped: boolean): void {
    const routed = waysOfArrival(pass('prerouting', travellers, undefined, isLooped), network, journey);
    stop(routed.stopped, 'forward');
    end(pass('input', merge(routed.inside), 'in', isLooped), 'in');
    const forwarded = pass('forward', merge(routed.forward), 'forward', isLooped);
    end(pass('postrouting', forwarded, 'forward', isLooped), 'forward');
  }

  /** The link out that the rules see is of the first look at the routes; a translation leads to a second one. */
  function depart(travellers: readonly Traveller[]): void {
    const first = waysOfDeparture(travellers, network, journey);
    stop(first.stopped, 'out');
    const sent = [
      ...pass('output', merge(first.out), 'out', false, dropStranded),
      ...pass('output', merge(first.back), 'in', false, dropStranded),
    ];
    const second = waysOfDeparture(merge(sent), network, journey);
    stop(second.stopped, 'out');
    end(pass('postrouting', merge(second.out), 'out', false), 'out');
    const lo = loopbackOf(network);
    const looped = pass('postrouting', merge(second.back), 'in', false).map((traveller) => ({
      ...traveller,
      flight: { ...traveller.flight, inLink: lo, outLink: undefined, outLinkUnknown: false },
    }));
    arrive(looped, true);
  }

  /** A new destination without a way to it: what comes after nat is not asked. */
  function dropStranded(going: readonly Traveller[]): Passed {
    const through: Traveller[] = [];
    const stopped: Stopped[] = [];
    for (const traveller of going) {
      const ways = waysOfDeparture([traveller], network, journey);
      if (!traveller.flight.destinationTranslated || ways.stopped.length === 0) {
        through.push(traveller);
        continue;
      }
      stopped.push(...ways.stopped);
      // The link that the rules see stays the first one.
      const onWay = [...ways.out, ...ways.back].map((one) => ({ ...one, flight: traveller.flight }));
      through.push(...merge(onWay));
    }
    return { through, stopped };
  }

  function pass(
    hook: Hook,
    travellers: readonly Traveller[],
    way: End['way'],
    isLooped: boolean,
    afterNat?: Passing['afterNat'],
  ): readonly Traveller[] {
    if (travellers.length === 0 || journey.fault !== undefined) return [];
    const { through, stopped } = hooks.pass(hook, travellers, journey, {
      isLooped,
      ...(afterNat && { afterNat }),
    });
    stop(stopped, way);
    return through;
  }

  function stop(stopped: readonly Omit<Finish, 'way'>[], way: End['way']): void {
    for (const one of stopped) finished.push({ ...one, way });
  }

  function end(travellers: readonly Traveller[], way: End['way']): void {
    for (const traveller of travellers)
      finished.push({ traveller, fate: 'pass', way, decidedBy: traveller.allowedBy ?? { kind: 'nothing' } });
  }
}
