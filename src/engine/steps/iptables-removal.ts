import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandResult } from '../../host/host.ts';
import type { Tool } from '../../host/tools.ts';
import { chainOwner } from '../../netfilter/chain-owner.ts';
import { fingerprintOf } from '../../netfilter/fingerprint.ts';
import { parseRuleset } from '../../netfilter/parse-ruleset.ts';
import {
  assertRemovable,
  compareAfterRemoval,
  printRemoval,
  printRestore,
  type RemovalDifference,
  removalDigest,
} from '../../netfilter/removal.ts';
import type { Ruleset } from '../../netfilter/ruleset.ts';
import type { LocatedRule } from '../../netfilter/table-reading.ts';
import { count } from '../count.ts';
import type { IptablesRemovalStep } from '../step.ts';
import type { RevertOutcome, StepContext, StepKind, StepOutcome } from './step-kind.ts';

/**
 * Takes chains and rules out of one table in one transaction.
 *
 * Looked at again just before the write: if anything in the chains to be removed changed since the
 * plan was made, nothing is written. Looked at again after it: everything planned must be gone and
 * everything else must be there, line by line; if not, what was removed is put back.
 */
export const iptablesRemoval: StepKind<IptablesRemovalStep> = {
  describe(step) {
    const { removal } = step;
    const chains = removal.chains.length;
    const rules = removal.rules.length;
    const objects = [
      ...(chains > 0 ? [count(chains, 'chain')] : []),
      ...(rules > 0 ? [count(rules, 'rule')] : []),
    ];
    return {
      title: `${title(step)}: remove ${objects.join(' and ')} in one transaction`,
      command: `${restoreTool(step)} ${restoreArgs(step).join(' ')}`,
      input: printRemoval(removal),
      changes: chains + rules,
      reversible: true,
    };
  },
  apply,
};

async function apply(step: IptablesRemovalStep, context: StepContext): Promise<StepOutcome> {
  const before = await dump(step, context);
  if (before.kind === 'failed') return untouched(step, before.reason);
  assertRemovable(step.removal, before.ruleset);
  if (digestNow(step, before.ruleset) !== step.digest) {
    return { kind: 'moved-on', reason: `${title(step)}: a chain that was to be removed has changed since` };
  }
  const backup = await context.backUp(
    `${step.backend}-${step.family}-${step.removal.table}.save`,
    before.ruleset.text,
  );
  const result = await restore(step, context, printRemoval(step.removal));
  const after = await dump(step, context);
  if (after.kind === 'failed') return unreadable(step, after.reason, backup);
  const difference = compareAfterRemoval(step.removal, before.ruleset, after.ruleset);
  const problem = judge(step, result, difference);
  const revert = () => putBack(step, context, { before: before.ruleset, backup });
  if (problem === undefined) return { kind: 'done', notes: describeOthers(step, difference), revert };
  return { kind: 'failed', reason: `${title(step)}: ${problem}`, revert: await revert() };
}

function digestNow({ removal }: IptablesRemovalStep, ruleset: Ruleset): string {
  const chains = ruleset.tables.get(removal.table)?.chains;
  return removalDigest(removal, (name) => {
    const chain = chains?.get(name);
    return chain && fingerprintOf(ruleset, chain);
  });
}

function untouched(step: IptablesRemovalStep, reason: string): StepOutcome {
  const revert = { complete: true, notes: [`${title(step)}: nothing was changed`] };
  return { kind: 'failed', reason: `${title(step)}: ${reason}`, revert };
}

/** Written and not to be read back: putting rules back blindly could make it worse. */
function unreadable(step: IptablesRemovalStep, reason: string, backup: string): StepOutcome {
  const notes = [
    `${title(step)}: whether the change took effect is not known; the table as it was: ${backup}`,
  ];
  return { kind: 'failed', reason: `${title(step)}: ${reason}`, revert: { complete: false, notes } };
}

/** What is wrong after the write; undefined when it is as planned. The kernel's state counts, not the exit code. */
function judge(
  step: IptablesRemovalStep,
  result: CommandResult,
  difference: RemovalDifference,
): string | undefined {
  const lost = difference.lost.filter((rule) => !isOwners(step, rule));
  if (lost.length > 0)
    return `${count(lost.length, 'line')} that should have stayed ${lost.length === 1 ? 'is' : 'are'} gone: ${lost[0]?.line}`;
  if (difference.remaining.length === 0) return undefined;
  return `${describeFailure(result)}; ${count(difference.remaining.length, 'line')} still there: ${difference.remaining[0]?.line}`;
}

async function putBack(
  step: IptablesRemovalStep,
  context: StepContext,
  { before, backup }: { readonly before: Ruleset; readonly backup: string },
): Promise<RevertOutcome> {
  const now = await dump(step, context);
  if (now.kind === 'failed') {
    return { complete: false, notes: [`${title(step)}: ${now.reason}; the table as it was: ${backup}`] };
  }
  const batch = printRestore(step.removal, before, now.ruleset);
  const result = batch === undefined ? undefined : await restore(step, context, batch);
  const after = await dump(step, context);
  const nothing = { table: step.removal.table, chains: [], rules: [] };
  const lost =
    after.kind === 'failed'
      ? [{ chain: '', line: after.reason }]
      : compareAfterRemoval(nothing, before, after.ruleset).lost.filter((rule) => !isOwners(step, rule));
  if (lost.length === 0) {
    const what = batch === undefined ? 'nothing had changed' : 'what was removed is back';
    return { complete: true, notes: [`${title(step)}: ${what}`] };
  }
  const why =
    result?.kind === 'exited' && result.exitCode === 0 ? '' : result ? ` (${describeFailure(result)})` : '';
  return {
    complete: false,
    notes: [
      `${title(step)}: ${count(lost.length, 'line')} could not be restored${why}; the table as it was: ${backup}`,
      ...lost.slice(0, 20).map(({ line }) => `missing: ${line}`),
    ],
  };
}

/** kube-proxy and the CNI go on writing their own chains in the live backend; that is not our doing. */
function isOwners(step: IptablesRemovalStep, rule: LocatedRule): boolean {
  if (!step.ownersWrite) return false;
  const owner = chainOwner(rule.chain);
  return owner !== undefined && !step.removal.chains.includes(rule.chain);
}

function describeOthers(step: IptablesRemovalStep, { lost, added }: RemovalDifference): string[] {
  const others = lost.length + added.length;
  if (others === 0) return [];
  return [`${title(step)}: others changed ${count(others, 'line')} meanwhile; left as they are`];
}

type Dumped =
  | { readonly kind: 'dumped'; readonly ruleset: Ruleset }
  | { readonly kind: 'failed'; readonly reason: string };

async function dump(step: IptablesRemovalStep, context: StepContext): Promise<Dumped> {
  const tool = saveTool(step);
  // The table is known to be registered: a plan is only made for one that was dumped.
  const args = ['-c', '-t', step.removal.table];
  const result = await context.host.run({ tool, args, encoding: 'latin1', timeoutMs: context.timeoutMs });
  if (result.kind !== 'exited' || result.exitCode !== 0) {
    return { kind: 'failed', reason: `${tool} cannot list it: ${describeFailure(result)}` };
  }
  const parsed = parseRuleset(result.stdout);
  if (parsed.kind === 'parsed') return { kind: 'dumped', ruleset: parsed.ruleset };
  return { kind: 'failed', reason: `${tool} line ${parsed.line} cannot be read: ${parsed.reason}` };
}

async function restore(
  step: IptablesRemovalStep,
  context: StepContext,
  input: string,
): Promise<CommandResult> {
  const command = { tool: restoreTool(step), args: restoreArgs(step), input, encoding: 'latin1' } as const;
  for (let attempt = 1; ; attempt++) {
    const result = await context.host.run({ ...command, timeoutMs: context.timeoutMs });
    if (attempt === 3 || !isContended(result)) return result;
    await sleep(200 * attempt);
  }
}

/** Exit code 4 is a resource problem: the xtables lock is held, or another write came in between. */
function isContended(result: CommandResult): boolean {
  return result.kind === 'exited' && result.exitCode === 4 && !/busy/i.test(result.stderr);
}

function describeFailure(result: CommandResult): string {
  switch (result.kind) {
    case 'exited':
      return `exit code ${result.exitCode}${result.stderr.trim() ? `: ${result.stderr.trim().split('\n')[0]?.slice(0, 300)}` : ''}`;
    case 'timeout':
      return `it did not end within ${result.timeoutMs / 1000} s and was killed`;
    case 'absent':
      return 'there is no such program';
    case 'failed-to-start':
      return result.reason;
  }
}

function title(step: IptablesRemovalStep): string {
  return `${step.family === 'ipv6' ? 'ip6tables' : 'iptables'}-${step.backend} ${step.removal.table}`;
}

function saveTool({ backend, family }: IptablesRemovalStep): Tool {
  return `${family === 'ipv6' ? 'ip6tables' : 'iptables'}-${backend}-save`;
}

function restoreTool({ backend, family }: IptablesRemovalStep): Tool {
  return `${family === 'ipv6' ? 'ip6tables' : 'iptables'}-${backend}-restore`;
}

/** The legacy backend has one lock for all writers; the nft backend has none. */
function restoreArgs({ backend }: IptablesRemovalStep): string[] {
  return ['--noflush', '--counters', ...(backend === 'legacy' ? ['-w', '5'] : [])];
}
