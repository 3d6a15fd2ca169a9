import { createFirewall } from '../../../src/netfilter/walk/firewall.ts';
import type { Walk } from '../../../src/netfilter/walk/walk.ts';
import { findDisagreement } from './compare.ts';
import type { Era } from './era.ts';
import { ToolError } from './laboratory.ts';
import type { Rules } from './load-rules.ts';
import type { Probe } from './probe.ts';
import type { Sighting } from './sightings.ts';

export interface Case {
  readonly rules: Rules;
  readonly probe: Probe;
}

export interface Shrunk extends Case {
  readonly walk: Walk;
  readonly sighting: Sighting;
  /** False: alone, or a second time, the packet went as the walk says. */
  readonly still: boolean;
}

/** Leaves rules out as long as the walk is wrong about the packet. */
export async function shrink(era: Era, { rules, probe }: Case): Promise<Shrunk> {
  const first = await judge(era, rules, probe);
  if (!first?.still) {
    const trial = await era.try(rules, [probe]);
    const walk = createFirewall(trial.reading).walk(probe.packet);
    return {
      rules,
      probe,
      walk,
      sighting: trial.sightings[0] ?? { fate: 'lost', at: undefined },
      still: false,
    };
  }
  let best = first;
  for (let size = 16; size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < count(best.rules); ) {
      const fewer = leaveOut(best.rules, at, size);
      const judged = fewer && (await judge(era, fewer, probe));
      if (judged?.still) best = judged;
      else at += size;
    }
  }
  return best;
}

async function judge(era: Era, rules: Rules, probe: Probe): Promise<Shrunk | undefined> {
  try {
    const { reading, sightings } = await era.try(rules, [probe]);
    const [sighting] = sightings;
    if (sighting === undefined) return undefined;
    const walk = createFirewall(reading).walk(probe.packet);
    return { rules, probe, walk, sighting, still: findDisagreement(walk, probe, sighting) !== undefined };
  } catch (error) {
    if (error instanceof ToolError) return undefined;
    throw error;
  }
}

const parts = (rules: Rules) => [
  rules.iptables.legacy.ipv4,
  rules.iptables.legacy.ipv6,
  rules.iptables.nft.ipv4,
  rules.iptables.nft.ipv6,
  rules.native,
  rules.sets,
];

function count(rules: Rules): number {
  return parts(rules).reduce((sum, lines) => sum + lines.length, 0);
}

/** Undefined where there is nothing among these lines that could be left out. */
function leaveOut(rules: Rules, from: number, size: number): Rules | undefined {
  let at = 0;
  let left = 0;
  const [legacy4 = [], legacy6 = [], nft4 = [], nft6 = [], native = [], sets = []] = parts(rules).map(
    (lines, part) =>
      lines.filter((line) => {
        const isTaken = at >= from && at < from + size && mayGo(line, part >= 4);
        at++;
        if (isTaken) left++;
        return !isTaken;
      }),
  );
  if (left === 0) return undefined;
  return {
    ...rules,
    iptables: { legacy: { ipv4: legacy4, ipv6: legacy6 }, nft: { ipv4: nft4, ipv6: nft6 } },
    native,
    sets,
  };
}

function mayGo(line: string, isFree: boolean): boolean {
  return isFree || !/^(\*|COMMIT|:(PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) ACCEPT)/.test(line);
}
