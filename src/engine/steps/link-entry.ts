import type { CommandLine, LinkEntryStep } from '../step.ts';
import { describeFailure } from './describe-failure.ts';
import { parseObject, printObject } from './json-object.ts';
import { printWords } from './print-words.ts';
import type { Probe, StepContext, StepDescription, StepKind, Verdict, Written } from './step-kind.ts';

export interface LinkEntryBefore {
  readonly value: string | null;
}

/** Sets one entry that the kernel keeps for a link, if it is still what the plan was made from. */
export const linkEntry: StepKind<LinkEntryStep, LinkEntryBefore> = {
  describe,
  probe,
  async apply(step, _before, { host, timeoutMs }): Promise<Written> {
    const line = commandFor(step);
    const result = await host.run({ ...line, timeoutMs });
    if (result.kind === 'exited' && result.exitCode === 0) return { kind: 'written' };
    return { kind: 'failed', reason: `${printLine(line)}: ${describeFailure(result)}` };
  },
  verify,
  revert: ({ value, ...step }, before) => ({ ...step, was: value, value: before.value }),
  backup: {
    name: ({ link, table }) => `${link}-${table}.json`,
    print: printObject,
    parse(text) {
      const value = parseObject(text)?.['value'];
      return value === null || typeof value === 'string' ? { value } : undefined;
    },
  },
};

function describe(step: LinkEntryStep): StepDescription {
  const { link, value } = step;
  return {
    title: `${link}: ${nameOf(step)} ${value === null ? 'removed' : `is ${value}`}`,
    command: printLine(commandFor(step)),
    input: undefined,
    changes: 1,
    reversible: true,
    firewall: false,
    volatile: true,
  };
}

async function probe(step: LinkEntryStep, context: StepContext): Promise<Probe<LinkEntryBefore>> {
  const seen = await look(step, context);
  if (seen.kind === 'failed') return seen;
  if (seen.value === step.value) return { kind: 'done', notes: [] };
  if (seen.value === step.was) return { kind: 'needed', before: { value: seen.value } };
  const reason = `${step.link}: ${nameOf(step)} is ${seen.value ?? 'not there'} now, not ${step.was ?? 'missing'}`;
  return { kind: 'moved-on', reason };
}

async function verify(step: LinkEntryStep, _before: LinkEntryBefore, context: StepContext): Promise<Verdict> {
  const seen = await look(step, context);
  if (seen.kind === 'failed') return { kind: 'unreadable', reason: seen.reason };
  if (seen.value === step.value) return { kind: 'as-planned', notes: [] };
  const reason = `${step.link}: ${nameOf(step)} is ${seen.value ?? 'not there'}, not ${step.value ?? 'gone'}`;
  return { kind: 'not-as-planned', reason };
}

type Seen =
  | { readonly kind: 'seen'; readonly value: string | null }
  | { readonly kind: 'failed'; readonly reason: string };

async function look(step: LinkEntryStep, { host, timeoutMs }: StepContext): Promise<Seen> {
  const line = listing(step);
  const result = await host.run({ ...line, timeoutMs });
  if (result.kind !== 'exited' || result.exitCode !== 0) {
    return { kind: 'failed', reason: `${printLine(line)}: ${describeFailure(result)}` };
  }
  return { kind: 'seen', value: valueIn(result.stdout, step) };
}

function listing({ link, table }: LinkEntryStep): CommandLine {
  switch (table) {
    case 'neighbour':
      return { tool: 'ip', args: ['neigh', 'show', 'dev', link] };
    case 'fdb':
      return { tool: 'bridge', args: ['fdb', 'show', 'dev', link] };
    case 'feature':
      return { tool: 'ethtool', args: ['-k', link] };
  }
}

/** Of several destinations of a MAC address the kernel uses the first. */
function valueIn(text: string, { table, key }: LinkEntryStep): string | null {
  const patterns = { neighbour: / lladdr (\S+)/, fdb: / dst (\S+)/, feature: /: (on|off)/ } as const;
  const begin = table === 'feature' ? `${key}:` : `${key} `;
  const lines = text.split('\n').filter((line) => line.trimStart().startsWith(begin));
  const values = lines.map((line) => patterns[table].exec(line)?.[1]);
  return values.find((value) => value !== undefined) ?? null;
}

function commandFor({ link, table, key, value, was }: LinkEntryStep): CommandLine {
  switch (table) {
    case 'neighbour':
      return value === null
        ? { tool: 'ip', args: ['neigh', 'del', key, 'dev', link] }
        : { tool: 'ip', args: ['neigh', 'replace', key, 'lladdr', value, 'dev', link, 'nud', 'permanent'] };
    case 'fdb':
      return value === null
        ? { tool: 'bridge', args: ['fdb', 'del', key, 'dev', link, ...(was ? ['dst', was] : [])] }
        : { tool: 'bridge', args: ['fdb', 'replace', key, 'dev', link, 'dst', value] };
    case 'feature':
      return { tool: 'ethtool', args: ['-K', link, key, value ?? 'off'] };
  }
}

function nameOf({ table, key }: LinkEntryStep): string {
  switch (table) {
    case 'neighbour':
      return `the neighbour ${key}`;
    case 'fdb':
      return `the tunnel's end for ${key}`;
    case 'feature':
      return key;
  }
}

function printLine({ tool, args }: CommandLine): string {
  return printWords([tool, ...args]);
}
