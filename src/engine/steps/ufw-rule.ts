import type { Family } from '../../netfilter/ruleset.ts';
import type { UfwRuleStep } from '../step.ts';
import { describeFailure } from './describe-failure.ts';
import { parseObject, printObject } from './json-object.ts';
import { printWords } from './print-words.ts';
import type { Probe, StepContext, StepDescription, StepKind, Verdict, Written } from './step-kind.ts';
import {
  findInFile,
  isCutOff,
  lostTuples,
  readUfwFiles,
  rulesIn,
  type UfwFiles,
  ufwFile,
} from './ufw-files.ts';
import { readUfwChain } from './ufw-kernel.ts';
import { chainOf, familiesOf, kernelRules, ufwArguments } from './ufw-words.ts';

/**
 * Adds a rule to UFW, or deletes one of ours.
 *
 * UFW's word is not relied on: it exits with 0 for what it skips and for what it cannot delete, and
 * when iptables refuses. Nor is one call a transaction: it writes its file over itself and then changes
 * the kernel. So both are looked at, before and after. A kill between the two is healed by adding and
 * deleting the rule first, for a delete brings the kernel in line with the file; a kill in the middle of the
 * file, by the copy that was taken before.
 *
 * A rule of somebody else's about the same traffic is never replaced, which UFW would do.
 */
export const ufwRule: StepKind<UfwRuleStep, UfwFiles> = {
  describe,
  probe,
  apply,
  verify,
  revert: ({ change, rule }, before) => ({
    kind: 'ufw-rule',
    change: change === 'add' ? 'delete' : 'add',
    rule,
    files: before,
  }),
  async missing({ rule }, before, { host }) {
    const read = await readUfwFiles(host);
    return read.kind === 'failed' ? [read.reason] : lostTuples(rule, before, read.files);
  },
  backup: {
    name: () => 'ufw-rules.json',
    print: printObject,
    parse(text) {
      const { ipv4, ipv6 } = parseObject(text) ?? {};
      return isFile(ipv4) && isFile(ipv6) ? { ipv4, ipv6 } : undefined;
    },
  },
};

function isFile(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function describe(step: UfwRuleStep): StepDescription {
  const { change, rule } = step;
  const words = ufwArguments({ change: 'add', rule }).slice(0, -2);
  return {
    title: `UFW: ${change === 'add' ? 'add' : 'delete'} "${words.join(' ')}"`,
    command: printWords(['ufw', ...ufwArguments(step)]),
    input: undefined,
    changes: 1,
    reversible: true,
    firewall: true,
    volatile: false,
  };
}

async function probe(step: UfwRuleStep, context: StepContext): Promise<Probe<UfwFiles>> {
  const seen = await look(step, context);
  if (seen.kind === 'failed') return seen;
  const { files, cutOff } = seen;
  const [cut] = cutOff;
  if (cut !== undefined) {
    const whole = step.files && { ...files, ...Object.fromEntries(cutOff.map((f) => [f, step.files?.[f]])) };
    if (whole && !isCutOff(whole[cut])) return { kind: 'needed', before: whole };
    return { kind: 'moved-on', reason: `${ufwFile[cut]} is cut off: its last line, COMMIT, is not there` };
  }
  if (isDone(step, seen)) return { kind: 'done', notes: [] };
  const obstacle = whyNot(step, seen);
  return obstacle === undefined ? { kind: 'needed', before: files } : { kind: 'moved-on', reason: obstacle };
}

async function apply(step: UfwRuleStep, before: UfwFiles, context: StepContext): Promise<Written> {
  const seen = await look(step, context);
  if (seen.kind === 'failed') return seen;
  for (const family of seen.cutOff) {
    const restored = await putBack(family, before[family], seen.files[family], context);
    if (restored.kind === 'failed')
      return { kind: 'failed', reason: `${ufwFile[family]}: ${restored.reason}` };
  }
  if (seen.cutOff.length > 0 || isUneven(seen)) {
    await run({ ...step, change: 'add' }, context);
    await run({ ...step, change: 'delete' }, context);
  }
  return run(step, context);
}

/** What is in the files and in the kernel counts, not what UFW said. */
async function verify(step: UfwRuleStep, before: UfwFiles, context: StepContext): Promise<Verdict> {
  const seen = await look(step, context);
  const { title } = describe(step);
  if (seen.kind === 'failed') return { kind: 'unreadable', reason: `${title}: ${seen.reason}` };
  const [cut] = seen.cutOff;
  if (cut !== undefined) return { kind: 'not-as-planned', reason: `${title}: ${ufwFile[cut]} is cut off` };
  const [lost] = lostTuples(step.rule, before, seen.files);
  if (lost !== undefined) {
    return { kind: 'not-as-planned', reason: `${title}: a rule that should have stayed is gone: ${lost}` };
  }
  if (isDone(step, seen)) return { kind: 'as-planned', notes: [] };
  const where = isUneven(seen) ? 'the kernel has not' : 'UFW has not';
  return { kind: 'not-as-planned', reason: `${title}: ${where} taken it over` };
}

interface Seen {
  readonly kind: 'seen';
  readonly files: UfwFiles;
  readonly isEnabled: boolean;
  readonly cutOff: readonly Family[];
  /** One for each family that the rule concerns and UFW knows. */
  readonly places: readonly Place[];
  /** IPv6 alone, and UFW does not do IPv6. */
  readonly isUnknownFamily: boolean;
}

interface Place {
  readonly family: Family;
  readonly inFile: ReturnType<typeof findInFile>;
  /** As often as the file says, or more often: both where the file has none of it and the kernel neither. */
  readonly kernel: 'as-file' | 'less' | 'more' | 'no-chain';
  readonly where: string;
}

async function look(
  { rule }: UfwRuleStep,
  context: StepContext,
): Promise<Seen | { readonly kind: 'failed'; readonly reason: string }> {
  const read = await readUfwFiles(context.host);
  if (read.kind === 'failed') return read;
  const { files, isEnabled, hasIpv6 } = read;
  const known = familiesOf(rule).filter((family) => family === 'ipv4' || hasIpv6);
  const places: Place[] = [];
  for (const family of known) {
    const inFile = findInFile(rule, family, files[family]);
    const chain = await readUfwChain(rule, family, context);
    if (chain.kind === 'failed') return chain;
    const kernel = chain.rules ? compare(kernelRules(rule, family), files[family], chain.rules) : 'no-chain';
    places.push({ family, inFile, kernel, where: chain.where });
  }
  const cutOff = known.filter((family) => isCutOff(files[family]));
  return { kind: 'seen', files, isEnabled, cutOff, places, isUnknownFamily: known.length === 0 };
}

function compare(wanted: readonly string[], file: string | null, kernel: readonly string[]): Place['kernel'] {
  const inFile = rulesIn(file);
  const surplus = wanted.map((rule) => count(kernel, rule) - count(inFile, rule));
  if (surplus.some((each) => each < 0)) return 'less';
  return surplus.some((each) => each > 0) ? 'more' : 'as-file';
}

function count(rules: readonly string[], rule: string): number {
  return rules.filter((each) => each === rule).length;
}

function isDone({ change }: UfwRuleStep, { places, isEnabled, isUnknownFamily }: Seen): boolean {
  if (change === 'add') {
    return (
      !isUnknownFamily &&
      isEnabled &&
      places.every(({ inFile, kernel }) => isThere(inFile) && (kernel === 'as-file' || kernel === 'more'))
    );
  }
  return places.every(
    ({ inFile, kernel }) => inFile !== 'ours' && !(isEnabled && inFile === 'absent' && kernel === 'more'),
  );
}

function isThere(inFile: Place['inFile']): boolean {
  return inFile === 'ours' || inFile === 'same';
}

/** The file has been changed, and the kernel not. What UFW is told of somebody else's rule would change that. */
function isUneven({ places, isEnabled }: Seen): boolean {
  return (
    isEnabled &&
    places.some(({ kernel }) => kernel === 'less' || kernel === 'more') &&
    places.every(({ inFile }) => inFile === 'ours' || inFile === 'absent')
  );
}

function whyNot(
  { change, rule }: UfwRuleStep,
  { places, isEnabled, isUnknownFamily }: Seen,
): string | undefined {
  if (change === 'delete') return undefined;
  if (!isEnabled) return 'UFW is not active any more';
  if (isUnknownFamily) return 'UFW does not manage IPv6: IPV6 is not "yes" in /etc/default/ufw';
  for (const { family, inFile, kernel, where } of places) {
    const chain = `${where} filter ${chainOf(rule, family)}`;
    if (kernel === 'no-chain') return `${chain} is not there though UFW is enabled: "ufw reload" makes it`;
    if (inFile === 'otherAction') {
      return `${ufwFile[family]} has a rule about the same traffic that is not "${rule.action}", and UFW would replace it`;
    }
    if (inFile === 'same' && kernel === 'less') {
      return `${ufwFile[family]} has the rule, of somebody else's, and ${chain} has not: "ufw reload" brings it there`;
    }
  }
  return undefined;
}

async function putBack(family: Family, text: string | null, cut: string | null, { host }: StepContext) {
  const status = await host.fileStatus(ufwFile[family]);
  if (text === null || status.kind !== 'file')
    return { kind: 'failed', reason: 'it cannot be put back' } as const;
  const { mode, uid, gid } = status;
  const file = { text, encoding: 'latin1', mode, uid, gid } as const;
  return host.installFile(ufwFile[family], file, { text: cut, encoding: 'latin1' });
}

async function run(step: UfwRuleStep, { host, timeoutMs }: StepContext): Promise<Written> {
  const result = await host.run({ tool: 'ufw', args: ufwArguments(step), timeoutMs });
  if (result.kind === 'exited' && result.exitCode === 0) return { kind: 'written' };
  const waited =
    result.kind === 'timeout' ? '; is another ufw at work, with /run/ufw.lock in its hands?' : '';
  return { kind: 'failed', reason: `ufw: ${describeFailure(result)}${waited}` };
}
