/**
 * Run as a program in the network namespace of a node: tries one scenario after the other and
 * compares what becomes of the packets with what the walk says. Prints a report as JSON.
 */
import { promisify } from 'node:util';
import { createFirewall } from '../../../src/netfilter/walk/firewall.ts';
import { blur } from './blur.ts';
import { findDisagreement } from './compare.ts';
import { describeDisagreement } from './describe.ts';
import { openEra, type Trial } from './era.ts';
import { type Disagreement, type EraReport, eraOptions } from './era-report.ts';
import { openLaboratory, ToolError } from './laboratory.ts';
import type { Rules } from './load-rules.ts';
import { namespaceNames } from './network-script.ts';
import type { Probe } from './probe.ts';
import { createRandom } from './random.ts';
import { withoutRefused } from './repair-rules.ts';
import { scenarioOf } from './scenario.ts';
import { serveAll } from './serve.ts';
import { shrink } from './shrink.ts';

const options = eraOptions.parse(JSON.parse(process.argv[2] ?? '{}'));
await serveAll();
const laboratory = openLaboratory(namespaceNames, options.cpu);
const era = openEra(laboratory, options.precedence);
const numbers = { frame: 1, port: 62_000, markedPort: 61_000 };
const report: EraReport = {
  rulesets: 0,
  refused: [],
  packets: 0,
  fates: {},
  verdicts: {},
  ends: {},
  unknown: {},
  chances: {},
  disagreements: [],
};

for (const seed of options.seeds) {
  const { probes, rules: drawn } = await scenarioOf(options.kind, seed, options.packets, numbers);
  const tried = await tryRules(drawn, probes, seed);
  if (tried === undefined) continue;
  const { trial, rules } = tried;
  report.rulesets++;
  const firewall = createFirewall(trial.reading);
  const random = createRandom(seed);
  // Then both orders are walked, and the kernel's must be among them.
  const unordered = createFirewall({ ...trial.reading, natFirst: { ipv4: undefined, ipv6: undefined } });
  for (const [index, probe] of probes.entries()) {
    const sighting = trial.sightings[index];
    if (sighting === undefined) continue;
    report.packets++;
    count(report.fates, sighting.fate);
    try {
      const walk = firewall.walk(probe.packet);
      count(report.verdicts, walk.verdict);
      count(report.ends, `${walk.ends.length}`);
      for (const { kind, reason } of new Set(walk.ends.flatMap(({ assumptions }) => assumptions))) {
        count(kind === 'unknown' ? report.unknown : report.chances, reason);
      }
      const blurred = blur(probe.packet, random);
      const what =
        findDisagreement(walk, probe, sighting) ??
        prefixed('order unknown: ', findDisagreement(unordered.walk(probe.packet), probe, sighting)) ??
        prefixed(`${JSON.stringify(blurred)}: `, findDisagreement(firewall.walk(blurred), probe, sighting));
      if (what !== undefined) {
        const one: Disagreement = { kind: options.kind, seed, index, what, text: '' };
        const shrunk =
          report.disagreements.length < options.shrink
            ? await shrink(era, { rules, probe })
            : { rules, probe, walk, sighting, still: false };
        report.disagreements.push({ ...one, text: describeDisagreement(shrunk).slice(0, 8000) });
      }
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      report.disagreements.push({
        kind: options.kind,
        seed,
        index,
        what,
        text: JSON.stringify(probe.packet),
      });
    }
  }
}
await promisify<string, void>((text, done) => process.stdout.write(text, done))(JSON.stringify(report));
await laboratory[Symbol.asyncDispose]();
process.exit(0);

/** Grammar cannot tell all that goes together: lines that nft refuses are left out. */
async function tryRules(
  drawn: Rules,
  probes: readonly Probe[],
  seed: number,
): Promise<{ trial: Trial; rules: Rules } | undefined> {
  let rules = drawn;
  for (;;) {
    try {
      return { trial: await era.try(rules, probes), rules };
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      const repaired = withoutRefused(rules, error);
      if (repaired === undefined) {
        report.refused.push(`seed ${seed}: ${error.message}`);
        return undefined;
      }
      rules = repaired;
    }
  }
}

function prefixed(prefix: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : `${prefix}${text}`;
}

function count(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}
