/** One namespace of a node's, and ruleset after ruleset in it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FirewallReading } from '../../../src/netfilter/walk/reading.ts';
import { arrived, countArrivals } from './arrivals.ts';
import { type Laboratory, runTool } from './laboratory.ts';
import { createLoader, type Precedence, type Rules } from './load-rules.ts';
import type { Frame, Order, Probe, Send } from './probe.ts';
import { readReading } from './read-reading.ts';
import { readSightings, type Sighting } from './sightings.ts';
import { forgetSightings, watchTable } from './watch.ts';

export interface Trial {
  readonly reading: FirewallReading;
  /** In the order of the probes. */
  readonly sightings: readonly Sighting[];
}

export interface Era {
  /** Loads the rules, sends the packets and looks. @throws ToolError when rules are refused. */
  try(rules: Rules, probes: readonly Probe[]): Promise<Trial>;
}

export function openEra(laboratory: Laboratory, precedence: Precedence): Era {
  const loader = createLoader(precedence);
  return {
    async try(rules, probes) {
      await loader.clear();
      await sendBefore(probes);
      await loader.load(rules);
      const reading = await readReading(precedence);
      const sightings = await look(probes, await sendAll(probes.map(({ send }) => send)));
      return { reading, sightings };
    },
  };

  /** On a busy machine some frames come late. */
  async function look(probes: readonly Probe[], first: readonly Frame[]): Promise<readonly Sighting[]> {
    const back = [...first];
    for (let attempt = 1; ; attempt++) {
      const found = await readSightings(back);
      const sightings = probes.map((probe) => found.of(probe));
      if (attempt === 20 || sightings.every(({ fate }) => fate !== 'vanished')) return sightings;
      await delay(25);
      back.push(...(await laboratory.sendFrames([])));
    }
  }

  /** First the first packet of each connection, then the answers. */
  async function sendBefore(probes: readonly Probe[]): Promise<void> {
    if (probes.every(({ before }) => before.length === 0)) return;
    await runTool(
      ['nft', '-f', '-'],
      `table inet ${watchTable} {
  chain remember { type filter hook prerouting priority -199; meta mark != 0 ct mark set meta mark; }
}`,
    );
    for (let step = 0; ; step++) {
      const sends = probes.flatMap(({ before }) => before[step] ?? []);
      if (sends.length === 0) break;
      await sendAll(sends);
    }
    await runTool(['nft', '-f', '-'], `delete chain inet ${watchTable} remember\n${forgetSightings()}`);
  }

  /** Returns what came back. */
  async function sendAll(sends: readonly Send[]): Promise<readonly Frame[]> {
    const frames: Frame[] = [];
    const orders = new Map<number, Order[]>();
    for (const send of sends) {
      if (send.kind === 'frame') frames.push(send.frame);
      else orders.set(send.owner, [...(orders.get(send.owner) ?? []), send.order]);
    }
    const before = await countArrivals();
    const back = [...(await laboratory.sendFrames(frames))];
    await arrived(before + frames.length);
    back.push(...(await laboratory.sendFrames([])));
    if (orders.size === 0) return back;
    for (const [owner, some] of orders) await laboratory.sendAs(owner, some);
    // What the node makes itself is through when its system calls are, or a moment later.
    await delay(1);
    return [...back, ...(await laboratory.sendFrames([]))];
  }
}
