#!/usr/bin/env node
/** cli/: commands, options, the terminal, exit codes. Everything is wired together here. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { DoctorError } from '../doctor-error.ts';
import { checkCommand } from './check-command.ts';
import { exitCodes } from './exit-code.ts';
import { explainCommand } from './explain-command.ts';
import { fixCommand } from './fix-command.ts';
import { listCommand } from './list-command.ts';
import type { CheckOptions, FixCommandOptions } from './options.ts';
import { version } from './version.ts';

process.exitCode = await main(process.argv);

async function main(argv: readonly string[]): Promise<number> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read us has gone, e.g. `doctor check | head`.
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  let exitCode = 0;
  const program = buildProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    if (!(error instanceof DoctorError)) {
      // A bug of ours: nothing was determined. Node's own exit code, 1, would say "problems found".
      process.stderr.write(
        `doctor: internal error, please report it\n${error instanceof Error ? error.stack : error}\n`,
      );
      return exitCodes.undetermined;
    }
    process.stderr.write(`doctor: ${error.message}${error.hint ? `; ${error.hint}` : ''}\n`);
    return exitCodes[error.code];
  }
}

function buildProgram(end: (exitCode: number) => void): Command {
  const program = new Command('doctor')
    .description('Finds, explains and repairs host-level faults of a k3s node.')
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(doctor --help shows what there is)');

  withRunOptions(program.command('check', { isDefault: true }))
    .description('diagnose, change nothing')
    .argument('[ids...]', 'checks to run; all without any')
    .option('--from <dir>', 'diagnose a recorded node')
    .option('--record <dir>', 'keep what was seen, for --from')
    .action(async (ids: string[], options: CheckOptions) => end(await checkCommand(ids, options)));

  withRunOptions(program.command('fix'))
    .description('show the plan, ask, apply it, verify')
    .argument('[ids...]', 'checks whose findings are to be repaired; all without any')
    .option('--dry-run', 'show the exact commands and change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--max-changes <n>', 'refuse a plan with more changes', positiveInteger)
    .action(async (ids: string[], options: FixCommandOptions) => end(await fixCommand(ids, options)));

  program
    .command('list')
    .description('what is checked')
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .action(async (options: { format: 'text' | 'json' }) => end(await listCommand(options)));

  program
    .command('explain')
    .description('why a check matters, and how it is repaired')
    .argument('<id>', 'check')
    .action(async (id: string) => end(await explainCommand(id)));

  return program;
}

function withRunOptions(command: Command): Command {
  return command
    .addOption(new Option('--format <format>', 'of the report').choices(['text', 'json']).default('text'))
    .option('--output <file>', 'write the report there')
    .addOption(
      new Option('--fail-on <severity>', 'problems from which on the exit code is 1')
        .choices(['warning', 'error'])
        .default('error'),
    )
    .option('--config <file>', 'instead of /etc/k3s-doctor/config.yaml')
    .option('--kubeconfig <file>', "instead of k3s' own")
    .option('--no-color', 'no colours (so does NO_COLOR)')
    .option('-v, --verbose', 'show evidence, and all findings')
    .addOption(
      new Option('--log-level <level>', 'of the log on standard error')
        .choices(['silent', 'error', 'warn', 'info', 'debug'])
        .default('warn'),
    );
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number above 0');
  return value;
}
