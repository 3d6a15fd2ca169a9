import { constants } from 'node:os';
import { execa } from 'execa';
import { byteCollector } from './byte-collector.ts';
import type { CommandResult, Environment, TextEncoding } from './host.ts';
import { ownMark } from './left-behind.ts';
import { lineSplitter } from './line-splitter.ts';
import { pinnedEnvironment } from './pinned-environment.ts';

export interface Execution {
  /** The program first; never goes through a shell. */
  readonly argv: readonly string[];
  readonly input?: string | undefined;
  readonly encoding?: TextEncoding | undefined;
  /** Added to the pinned one. */
  readonly environment?: Environment | undefined;
  readonly timeoutMs: number;
  /** Takes standard output line by line; the result then has none. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** More on stdout than this ends the program; default just below what one string can hold. */
  readonly maxOutputBytes?: number | undefined;
}

/** V8's longest string has 2^29 - 24 characters. */
const defaultMaxOutputBytes = 2 ** 29 - 1024;
const maxErrorOutputBytes = 1024 * 1024;
/** A process in uninterruptible sleep does not even die of SIGKILL: it is left behind after this. */
const graceMs = 500;

/**
 * Runs a program to its end and never rejects for what it does. At the timeout it is killed together
 * with everything it started. Of stderr the first MiB is kept. A program that a signal ended counts
 * as exited with 128 + the signal's number, as in a shell.
 */
export async function runCommand(execution: Execution): Promise<CommandResult> {
  const { argv, encoding = 'utf8', timeoutMs, maxOutputBytes = defaultMaxOutputBytes } = execution;
  const [program = '', ...args] = argv;
  const collected = byteCollector(maxOutputBytes);
  const lines = execution.onLine && lineSplitter(execution.onLine);
  const stdout = lines ?? collected;
  const stderr = byteCollector(maxErrorOutputBytes);

  const subprocess = execa(program, args, {
    cwd: '/',
    env: { ...pinnedEnvironment, ...execution.environment, ...ownMark() },
    extendEnv: false,
    ...(execution.input === undefined
      ? { stdin: 'ignore' as const }
      : { input: Buffer.from(execution.input, encoding) }),
    encoding: 'buffer',
    buffer: false,
    reject: false,
    killDescendants: true,
    killSignal: 'SIGKILL',
  });

  let ended: 'timeout' | 'flood' | undefined;
  const abandoned = Promise.withResolvers<undefined>();
  let graceTimer: NodeJS.Timeout | undefined;
  const kill = (why: 'timeout' | 'flood') => {
    if (ended !== undefined) return;
    ended = why;
    subprocess.kill('SIGKILL');
    // Something that left the process group may still hold the pipes open.
    for (const stream of [subprocess.stdin, subprocess.stdout, subprocess.stderr]) stream?.destroy();
    graceTimer = setTimeout(() => {
      subprocess.nodeChildProcess.unref();
      abandoned.resolve(undefined);
    }, graceMs);
  };
  const timer = setTimeout(() => kill('timeout'), timeoutMs);
  subprocess.stdout.on('data', (chunk: Buffer) => {
    if (!stdout.add(chunk)) kill('flood');
  });
  subprocess.stderr.on('data', (chunk: Buffer) => void stderr.add(chunk));

  const result = await Promise.race([subprocess, abandoned.promise]);
  clearTimeout(timer);
  clearTimeout(graceTimer);

  if (ended === 'timeout') return { kind: 'timeout', timeoutMs };
  if (ended === 'flood') {
    return { kind: 'failed-to-start', reason: `${program} printed more than ${maxOutputBytes} bytes` };
  }
  const exitCode = result?.exitCode ?? signalExitCode(result?.signal);
  // With exit code 0 it is the pipe that failed: the output is not to be trusted.
  if (exitCode === undefined || (exitCode === 0 && result?.failed)) {
    return { kind: 'failed-to-start', reason: startFailure(program, result) };
  }
  lines?.finish();
  return { kind: 'exited', exitCode, stdout: collected.take(encoding), stderr: stderr.take(encoding) };
}

function signalExitCode(signal: string | undefined): number | undefined {
  const numbers: Readonly<Record<string, number>> = constants.signals;
  const number = signal === undefined ? undefined : numbers[signal];
  return number === undefined ? undefined : 128 + number;
}

function startFailure(
  program: string,
  result: { code?: string | undefined; originalMessage?: string | undefined } | undefined,
): string {
  switch (result?.code) {
    // The program was there a moment ago, so it is its interpreter or loader that is missing.
    case 'ENOENT':
      return `${program} cannot be started: it, or the interpreter it names, does not exist`;
    case 'EACCES':
      return `${program} cannot be started: no right to execute it`;
    default:
      return `${program} cannot be started: ${result?.originalMessage ?? result?.code ?? 'unknown reason'}`;
  }
}
