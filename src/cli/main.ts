#!/usr/bin/env node
/**
 * cli/: commands, options, the terminal, exit codes. Everything is wired together here. A command is loaded
 * when it is the one that was asked for.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { DoctorError } from '../doctor-error.ts';
import { addTraceCommand } from './add-trace-command.ts';
import type { ConfigCommandOptions } from './config-command.ts';
import type { DaemonCommandOptions } from './daemon-command.ts';
import { exitCodes } from './exit-code.ts';
import type { HistoryCommandOptions } from './history-command.ts';
import type { InstallCommandOptions } from './install-command.ts';
import type { CheckOptions, FixCommandOptions, RunOptions, UndoCommandOptions } from './options.ts';
import type { PauseCommandOptions } from './pause-command.ts';
import type { UninstallCommandOptions } from './uninstall-command.ts';
import { version } from './version.ts';

process.exitCode = await main(process.argv);

async function main(argv: readonly string[]): Promise<number> {
  // A report or log that nobody reads must neither end a fix in the middle nor change an exit code; `print` says what is lost.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
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

type End = (exitCode: number) => void;

function buildProgram(end: End): Command {
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
    .action(async (ids: string[], options: CheckOptions) =>
      end(await (await import('./check-command.ts')).checkCommand(ids, options)),
    );

  withRunOptions(program.command('fix'))
    .description('show the plan, ask, apply it, verify')
    .argument('[ids...]', 'checks whose findings are to be repaired; all without any')
    .option('--dry-run', 'show the exact commands and change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--unattended', 'for timers: do not ask, and act on nothing that was not seen before')
    .option(
      '--patience <seconds>',
      'with --unattended: again until all is well, for so long',
      positiveInteger,
    )
    .option('--max-changes <n>', 'make more changes for one check than is configured', positiveInteger)
    .action(async (ids: string[], options: FixCommandOptions) =>
      end(
        options.patience === undefined
          ? await (await import('./fix-command.ts')).fixCommand(ids, options)
          : await (await import('./fix-patiently.ts')).fixPatiently(ids, options, options.patience),
      ),
    );

  withRunOptions(program.command('undo'))
    .description('take a run back, as far as the node has not moved on')
    .argument('<run>', 'as "doctor history" shows it')
    .option('--dry-run', 'show the exact commands and change nothing')
    .option('-y, --yes', 'do not ask')
    .addOption(new Option('--unless-confirmed').hideHelp())
    .addOption(new Option('--after <seconds>').argParser(positiveInteger).hideHelp())
    .action(async (run: string, options: UndoCommandOptions) =>
      end(await (await import('./undo-command.ts')).undoCommand(run, options)),
    );

  addTraceCommand(program, end);
  addStateCommands(program, end);
  addCommandsAboutChecks(program, end);
  addInstallCommands(program, end);
  addProcessCommands(program, end);
  return program;
}

/** What was done, and whether more may be done. */
function addStateCommands(program: Command, end: End): void {
  program
    .command('history')
    .description('what was done on this node, by whom and why')
    .argument('[run]', 'everything about one run')
    .option('--limit <n>', 'how many runs', positiveInteger, 20)
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .option('--config <file>', 'instead of /etc/k3s-doctor/config.yaml')
    .option('--no-color', 'no colours (so does NO_COLOR)')
    .action(async (run: string | undefined, options: HistoryCommandOptions) =>
      end(await (await import('./history-command.ts')).historyCommand(run, options)),
    );

  program
    .command('pause')
    .description('repair nothing on this node for a time')
    .requiredOption('--reason <text>', 'for whoever comes next')
    .option('--for <duration>', '30m, 2h, 1d; without it until "doctor resume"')
    .option('--config <file>', 'instead of /etc/k3s-doctor/config.yaml')
    .action(async (options: PauseCommandOptions) =>
      end(await (await import('./pause-command.ts')).pauseCommand(options)),
    );

  program
    .command('resume')
    .description('end a pause')
    .option('--config <file>', 'instead of /etc/k3s-doctor/config.yaml')
    .action(async (options: { config?: string }) =>
      end(await (await import('./resume-command.ts')).resumeCommand(options)),
    );
}

function addCommandsAboutChecks(program: Command, end: End): void {
  program
    .command('list')
    .description('what is checked')
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .action(async (options: { format: 'text' | 'json' }) =>
      end(await (await import('./list-command.ts')).listCommand(options)),
    );

  program
    .command('explain')
    .description('why a check matters, and how it is repaired')
    .argument('<id>', 'check')
    .action(async (id: string) => end(await (await import('./explain-command.ts')).explainCommand(id)));

  program
    .command('config')
    .description('the settings that hold, and where each comes from')
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .option('--config <file>', 'instead of /etc/k3s-doctor/config.yaml')
    .option('--kubeconfig <file>', "instead of k3s' own")
    .action(async (options: ConfigCommandOptions) =>
      end(await (await import('./config-command.ts')).configCommand(options)),
    );
}

function addInstallCommands(program: Command, end: End): void {
  withRunOptions(program.command('install'))
    .description('put units and an example of the configuration in place')
    .option('--enable <units>', 'start them, too: cleanup, forward-rules, coredns, doctor')
    .option('--unit-dir <dir>', 'instead of /etc/systemd/system')
    .option('--dry-run', 'show what would be written and change nothing')
    .option('-y, --yes', 'do not ask')
    .action(async (options: InstallCommandOptions) =>
      end(await (await import('./install-command.ts')).installCommand(options)),
    );

  withRunOptions(program.command('uninstall'))
    .description('remove exactly what install has written')
    .option('--purge', 'journal, history and state, too')
    .option('--dry-run', 'show what would be removed and change nothing')
    .option('-y, --yes', 'do not ask')
    .action(async (options: UninstallCommandOptions) =>
      end(await (await import('./uninstall-command.ts')).uninstallCommand(options)),
    );
}

/** What is not typed by hand. */
function addProcessCommands(program: Command, end: End): void {
  program
    .command('daemon')
    .description('the configured schedule without systemd, for containers')
    .option('--config <file>', 'instead of /etc/k3s-doctor/config.yaml')
    .option('--kubeconfig <file>', "instead of k3s' own")
    .addOption(logLevel('info'))
    .action(async (options: DaemonCommandOptions) =>
      end(await (await import('./daemon-command.ts')).daemonCommand(options)),
    );

  withRunOptions(program.command('settle', { hidden: true })).action(async (options: RunOptions) =>
    end(await (await import('./settle-command.ts')).settleCommand(options)),
  );
  program
    .command('ask-dns', { hidden: true })
    .action(async () => end(await (await import('./ask-dns-command.ts')).askDnsCommand()));
  withRunOptions(program.command('probe', { hidden: true })).action(async (options: RunOptions) =>
    end(await (await import('./probe-command.ts')).probeCommand(options)),
  );
}

function withRunOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--format <format>', 'of the report').choices(['text', 'json', 'log']).default('text'),
    )
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
    .addOption(logLevel('warn'));
}

function logLevel(byDefault: string): Option {
  return new Option('--log-level <level>', 'of the log on standard error')
    .choices(['silent', 'error', 'warn', 'info', 'debug'])
    .default(byDefault);
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number above 0');
  return value;
}
