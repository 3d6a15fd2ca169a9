import type { CommandLine, CommandStep } from '../step.ts';
import { describeFailure } from './describe-failure.ts';
import { parseObject, printObject } from './json-object.ts';
import { printWords } from './print-words.ts';
import type { Probe, StepContext, StepDescription, StepKind, Verdict, Written } from './step-kind.ts';

export interface CommandBefore {
  /** Exit code of the check; null without one. */
  readonly checked: number | null;
  /**
   * What `apply` found: for a command without a check there is nothing else to judge by. Not kept on
   * disk, so that another process never takes a command for done that it did not see succeed.
   */
  succeeded?: boolean;
}

/** Runs one program. What it does is known by its check, before and after; without one, by its exit code. */
export const command: StepKind<CommandStep, CommandBefore> = {
  describe,
  probe,
  async apply(step, before, context) {
    const written = await run(step.command, context);
    before.succeeded = written.kind === 'written';
    return written;
  },
  verify,
  revert({ title, command, check, undoes, revert, ...step }) {
    if (!revert) return undefined;
    return {
      ...step,
      title: undoes ? title.slice(takeBack.length) : `${takeBack}${title}`,
      command: revert,
      revert: command,
      ...(check && { check }),
      ...(!undoes && { undoes: true }),
    };
  },
  backup: {
    name: ({ command }) => `${command.tool}.json`,
    print: printObject,
    parse(text) {
      const checked = parseObject(text)?.['checked'];
      return checked === null || typeof checked === 'number' ? { checked } : undefined;
    },
  },
};

const takeBack = 'take back: ';

function describe({ title, command, revert, firewall = false }: CommandStep): StepDescription {
  return {
    title,
    command: printLine(command),
    input: undefined,
    changes: 1,
    reversible: revert !== undefined,
    firewall,
    volatile: false,
  };
}

async function probe(step: CommandStep, context: StepContext): Promise<Probe<CommandBefore>> {
  const checked = await check(step, context);
  if (checked.kind === 'failed') return { kind: 'failed', reason: `${step.title}: ${checked.reason}` };
  if (checked.kind === 'unchecked') return { kind: 'needed', before: { checked: null } };
  if (checked.isDone) return { kind: 'done', notes: [] };
  return { kind: 'needed', before: { checked: checked.exitCode } };
}

async function verify(step: CommandStep, before: CommandBefore, context: StepContext): Promise<Verdict> {
  const { title } = step;
  const checked = await check(step, context);
  if (checked.kind === 'failed') return { kind: 'unreadable', reason: `${title}: ${checked.reason}` };
  if (checked.kind === 'checked') {
    if (checked.isDone) return { kind: 'as-planned', notes: [] };
    const reason = `${title}: its check says that it is not so (exit code ${checked.exitCode})`;
    return { kind: 'not-as-planned', reason };
  }
  if (before.succeeded) return { kind: 'as-planned', notes: [] };
  if (before.succeeded === false) return { kind: 'not-as-planned', reason: `${title}: it failed` };
  return { kind: 'unreadable', reason: `${title}: whether it took effect cannot be told, it has no check` };
}

type Checked =
  | { readonly kind: 'checked'; readonly isDone: boolean; readonly exitCode: number }
  | { readonly kind: 'unchecked' }
  | { readonly kind: 'failed'; readonly reason: string };

async function check({ check, undoes = false }: CommandStep, context: StepContext): Promise<Checked> {
  if (!check) return { kind: 'unchecked' };
  const result = await context.host.run({ ...check, timeoutMs: context.timeoutMs });
  // As in a shell, these mean that it did not run, or not to its end.
  if (result.kind !== 'exited' || result.exitCode > 125) {
    return { kind: 'failed', reason: `${printLine(check)}: ${describeFailure(result)}` };
  }
  const { exitCode } = result;
  return { kind: 'checked', isDone: (exitCode === 0) !== undoes, exitCode };
}

async function run(line: CommandLine, { host, timeoutMs }: StepContext): Promise<Written> {
  const result = await host.run({ ...line, timeoutMs });
  if (result.kind === 'exited' && result.exitCode === 0) return { kind: 'written' };
  return { kind: 'failed', reason: `${printLine(line)}: ${describeFailure(result)}` };
}

function printLine({ tool, args }: CommandLine): string {
  return printWords([tool, ...args]);
}
