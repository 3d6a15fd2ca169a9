import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandResult } from '../../host/host.ts';
import type { Tool } from '../../host/tools.ts';
import {
  type Addition,
  conflictsWith,
  invertAddition,
  invertRemoval,
  missingFrom,
  printAddition,
} from '../../netfilter/addition.ts';
import { chainOwner } from '../../netfilter/chain-owner.ts';
import { fingerprintOf } from '../../netfilter/fingerprint.ts';
import { parseRuleset } from '../../netfilter/parse-ruleset.ts';
import {
  assertRemovable,
  compareAfterRemoval,
  missingRules,
  printRemoval,
  type Removal,
  removalDigest,
} from '../../netfilter/removal.ts';
import type { Ruleset } from '../../netfilter/ruleset.ts';
import type { LocatedRule } from '../../netfilter/table-reading.ts';
import { count } from '../count.ts';
import type { IptablesBatchStep } from '../step.ts';
import { describeFailure } from './describe-failure.ts';
import type { Probe, StepContext, StepDescription, StepKind, Verdict, Written } from './step-kind.ts';

/**
 * Takes chains and rules out of one table, or puts them into it, in one transaction of the kernel's.
 *
 * Looked at again just before the write: if anything in the chains concerned changed since the plan
 * was made, nothing is written. Looked at again after it: everything planned must have happened and
 * everything else must be there, line by line.
 */
export const iptablesBatch: StepKind<IptablesBatchStep, Ruleset> = {
  describe,
  probe,
  async apply(step, before, context) {
    const input = printBatch(step, before);
    const written = input === undefined ? { kind: 'written' as const } : await restore(step, context, input);
    if (written.kind === 'written' && step.change.kind === 'add' && step.change.isNew) {
      await keep(step, step.change.addition, context);
    }
    return written;
  },
  verify,
  revert(step, before) {
    const { change } = step;
    if (change.kind === 'remove') {
      return { ...step, change: { kind: 'add', addition: invertRemoval(change.removal, before) } };
    }
    return { ...step, change: { kind: 'remove', ...invertAddition(change.addition, before) } };
  },
  async missing(step, before, context) {
    const now = await dump(step, context);
    if (now.kind === 'failed') return [now.reason];
    const { lost } = compareAfterRemoval(nothingFrom(tableOf(step)), before, now.ruleset);
    return lost.filter((rule) => !isOwners(step, rule)).map(({ line }) => line);
  },
  backup: {
    name: (step) => `${step.backend}-${step.family}-${tableOf(step)}.save`,
    print: ({ text }) => text,
    parse(text) {
      const parsed = parseRuleset(text);
      return parsed.kind === 'parsed' && parsed.ruleset.tables.size > 0 ? parsed.ruleset : undefined;
    },
  },
};

function describe(step: IptablesBatchStep): StepDescription {
  const { change } = step;
  const chains = change.kind === 'remove' ? change.removal.chains.length : change.addition.chains.length;
  const rules = change.kind === 'remove' ? change.removal.rules.length : countInserts(change.addition);
  const objects = [
    ...(chains > 0 ? [count(chains, 'chain')] : []),
    ...(rules > 0 ? [count(rules, 'rule')] : []),
  ];
  const verb = change.kind === 'remove' ? 'remove' : change.isNew ? 'add' : 'put back';
  return {
    title: `${title(step)}: ${verb} ${objects.join(' and ')} in one transaction`,
    command: `${restoreTool(step)} ${restoreArgs(step).join(' ')}`,
    // Megabytes, and mostly not asked for.
    get input() {
      return printBatch(step, emptyRuleset);
    },
    changes: chains + rules,
    reversible: true,
    firewall: true,
    volatile: true,
  };
}

async function probe(step: IptablesBatchStep, context: StepContext): Promise<Probe<Ruleset>> {
  const before = await dump(step, context);
  if (before.kind === 'failed') return { kind: 'failed', reason: `${title(step)}: ${before.reason}` };
  const { ruleset } = before;
  const { change } = step;
  if (change.kind === 'add') {
    const [conflict] = conflictsWith(change.addition, ruleset);
    if (conflict !== undefined) return movedOn(step, conflict);
    return isEmpty(missingFrom(change.addition, ruleset))
      ? { kind: 'done', notes: [`${title(step)}: it is all there`] }
      : { kind: 'needed', before: ruleset };
  }
  assertRemovable(change.removal, ruleset);
  if (isAllGone(change.removal, ruleset)) {
    return { kind: 'done', notes: [`${title(step)}: it is all gone`] };
  }
  const changed = whatChanged(change, ruleset);
  return changed === undefined ? { kind: 'needed', before: ruleset } : movedOn(step, changed);
}

function isAllGone(removal: Removal, now: Ruleset): boolean {
  const chains = now.tables.get(removal.table)?.chains;
  return (
    !removal.chains.some((name) => chains?.has(name)) &&
    missingRules(removal, now).length === removal.rules.length
  );
}

/** Why a removal does not fit the table any more; undefined when it does. */
function whatChanged(
  { removal, digest }: { readonly removal: Removal; readonly digest: string },
  now: Ruleset,
): string | undefined {
  const chains = now.tables.get(removal.table)?.chains;
  const gone = removal.chains.find((name) => !chains?.has(name));
  if (gone !== undefined) return `chain ${gone}, which was to be removed, is gone`;
  const [rule] = missingRules(removal, now);
  if (rule) return `a rule that was to be removed is gone: ${rule.line}`;
  const digestNow = removalDigest(removal, (name) => {
    const chain = chains?.get(name);
    return chain && fingerprintOf(now, chain);
  });
  return digestNow === digest ? undefined : 'a chain that was to be removed has changed since';
}

function movedOn(step: IptablesBatchStep, what: string): Probe<never> {
  return { kind: 'moved-on', reason: `${title(step)}: ${what}` };
}

/** The kernel's state counts, not the exit code. */
async function verify(step: IptablesBatchStep, before: Ruleset, context: StepContext): Promise<Verdict> {
  const after = await dump(step, context);
  if (after.kind === 'failed') return { kind: 'unreadable', reason: `${title(step)}: ${after.reason}` };
  const { change } = step;
  const removal = change.kind === 'remove' ? change.removal : nothingFrom(tableOf(step));
  const { remaining, lost, added } = compareAfterRemoval(removal, before, after.ruleset);
  const foreign = lost.filter((rule) => !isOwners(step, rule));
  if (foreign.length > 0) {
    const are = foreign.length === 1 ? 'is' : 'are';
    return notAsPlanned(
      step,
      `${count(foreign.length, 'line')} that should have stayed ${are} gone: ${foreign[0]?.line}`,
    );
  }
  if (remaining.length > 0) {
    return notAsPlanned(step, `${count(remaining.length, 'line')} still there: ${remaining[0]?.line}`);
  }
  const missing = change.kind === 'add' ? missingFrom(change.addition, after.ruleset) : undefined;
  if (missing && !isEmpty(missing)) {
    const parts = missing.chains.length + countInserts(missing);
    return notAsPlanned(
      step,
      `${count(parts, 'chain or rule', 'chains or rules')} ${parts === 1 ? 'is' : 'are'} not there`,
    );
  }
  const ours = change.kind === 'add' ? change.addition.chains.length + countInserts(change.addition) : 0;
  const others = lost.length + Math.max(0, added.length - ours);
  const notes =
    others === 0
      ? []
      : [`${title(step)}: others changed ${count(others, 'line')} meanwhile; left as they are`];
  return { kind: 'as-planned', notes };
}

function notAsPlanned(step: IptablesBatchStep, what: string): Verdict {
  return { kind: 'not-as-planned', reason: `${title(step)}: ${what}` };
}

/** kube-proxy and the CNI go on writing their own chains in the live backend; that is not our doing. */
function isOwners(step: IptablesBatchStep, rule: LocatedRule): boolean {
  return step.ownersWrite && chainOwner(rule.chain) !== undefined && !concerned(step).includes(rule.chain);
}

function concerned({ change }: IptablesBatchStep): readonly string[] {
  return change.kind === 'remove' ? change.removal.chains : change.addition.chains.map(({ name }) => name);
}

type Dumped =
  | { readonly kind: 'dumped'; readonly ruleset: Ruleset }
  | { readonly kind: 'failed'; readonly reason: string };

async function dump(step: IptablesBatchStep, context: StepContext): Promise<Dumped> {
  const tool = saveTool(step);
  // The table is known to be registered: a plan is only made for one that was dumped.
  const args = ['-c', '-t', tableOf(step)];
  const result = await context.host.run({ tool, args, encoding: 'latin1', timeoutMs: context.timeoutMs });
  if (result.kind !== 'exited' || result.exitCode !== 0) {
    return { kind: 'failed', reason: `${tool} cannot list it: ${describeFailure(result)}` };
  }
  const parsed = parseRuleset(result.stdout);
  if (parsed.kind === 'parsed') return { kind: 'dumped', ruleset: parsed.ruleset };
  return { kind: 'failed', reason: `${tool} line ${parsed.line} cannot be read: ${parsed.reason}` };
}

async function restore(step: IptablesBatchStep, context: StepContext, input: string): Promise<Written> {
  const command = { tool: restoreTool(step), args: restoreArgs(step), input, encoding: 'latin1' } as const;
  for (let attempt = 1; ; attempt++) {
    const result = await context.host.run({ ...command, timeoutMs: context.timeoutMs });
    if (result.kind === 'exited' && result.exitCode === 0) return { kind: 'written' };
    if (attempt === 3 || !isContended(result)) {
      return { kind: 'failed', reason: `${command.tool}: ${describeFailure(result)}` };
    }
    await sleep(200 * attempt);
  }
}

/**
 * The network policy controller saves the whole filter table and restores it, without a lock over both:
 * what came in between is gone again. So it is looked for a few times, and put there again.
 */
async function keep(step: IptablesBatchStep, addition: Addition, context: StepContext): Promise<void> {
  for (const delayMs of [100, 200, 400]) {
    await sleep(delayMs);
    const now = await dump(step, context);
    const missing = now.kind === 'dumped' ? printAddition(addition, now.ruleset) : undefined;
    if (missing !== undefined) await restore(step, context, missing);
  }
}

/** Exit code 4 is a resource problem: the xtables lock is held, or another write came in between. */
function isContended(result: CommandResult): boolean {
  return result.kind === 'exited' && result.exitCode === 4 && !/busy/i.test(result.stderr);
}

function printBatch({ change }: IptablesBatchStep, now: Ruleset): string | undefined {
  return change.kind === 'remove' ? printRemoval(change.removal) : printAddition(change.addition, now);
}

const emptyRuleset: Ruleset = { text: '', tables: new Map(), unreadable: [] };

function nothingFrom(table: string): Removal {
  return { table, chains: [], rules: [] };
}

function isEmpty({ chains, inserts }: Addition): boolean {
  return chains.length + inserts.length === 0;
}

function countInserts({ inserts }: Addition): number {
  return inserts.reduce((sum, { wanted }) => sum + wanted.length, 0);
}

function tableOf({ change }: IptablesBatchStep): string {
  return change.kind === 'remove' ? change.removal.table : change.addition.table;
}

function title(step: IptablesBatchStep): string {
  return `${step.family === 'ipv6' ? 'ip6tables' : 'iptables'}-${step.backend} ${tableOf(step)}`;
}

function saveTool({ backend, family }: IptablesBatchStep): Tool {
  return `${family === 'ipv6' ? 'ip6tables' : 'iptables'}-${backend}-save`;
}

function restoreTool({ backend, family }: IptablesBatchStep): Tool {
  return `${family === 'ipv6' ? 'ip6tables' : 'iptables'}-${backend}-restore`;
}

/** The legacy backend has one lock for all writers; the nft backend has none. */
function restoreArgs({ backend }: IptablesBatchStep): string[] {
  return ['--noflush', '--counters', ...(backend === 'legacy' ? ['-w', '5'] : [])];
}
