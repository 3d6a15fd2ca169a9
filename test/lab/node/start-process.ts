import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';

/** Bytes are kept as they are: no final newline is taken away. */
export interface ExecResult {
  /** As a shell has it: 128 + the signal's number when a signal ended the program. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProcess extends AsyncDisposable {
  /** Of the process that was started here; inside a node the program itself is its child. */
  readonly pid: number | undefined;
  readonly ended: Promise<ExecResult>;
  /** The first line of its output that has this text in it. @throws Error when there is none in time. */
  waitForLine(text: string, timeoutMs?: number): Promise<string>;
  closeInput(): void;
  /** Sends the signal (default SIGKILL) to the program and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<ExecResult>;
}

/**
 * Starts a program that goes on running. Its input stays open, and Ctrl-C at the terminal does not
 * reach it: that is for the one who started us.
 */
export function startProcess(
  command: readonly string[],
  env?: Readonly<Record<string, string>>,
): RunningProcess {
  const [program = '', ...args] = command;
  const subprocess = execa(program, args, {
    detached: true,
    reject: false,
    stripFinalNewline: false,
    ...(env === undefined ? {} : { env, extendEnv: false }),
  });
  let output = '';
  subprocess.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  let hasEnded = false;
  const ended = subprocess.then((result) => {
    hasEnded = true;
    return {
      exitCode: exitCodeOf(result),
      stdout: result.stdout,
      stderr: result.stderr,
    };
  });

  return {
    pid: subprocess.pid,
    ended,
    waitForLine: async (text, timeoutMs = 10_000) => {
      const deadline = performance.now() + timeoutMs;
      for (let isLast = false; !isLast; await delay(2)) {
        isLast = hasEnded || performance.now() > deadline;
        const line = output
          .split('\n')
          .slice(0, -1)
          .find((candidate) => candidate.includes(text));
        if (line !== undefined) return line;
      }
      const why = hasEnded ? `it ended: ${(await ended).stderr}` : `not in ${timeoutMs} ms`;
      throw new Error(`${program} did not print "${text}": ${why}`);
    },
    closeInput: () => subprocess.stdin.end(),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };

  async function stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<ExecResult> {
    // nsenter passes no signals on to the program it waits for.
    const child = await childOf(subprocess.pid);
    if (!hasEnded && child !== undefined) process.kill(child, signal);
    if (child === undefined) subprocess.kill(signal);
    return ended;
  }
}

/** The first child of a process, `undefined` when it has none or is gone. */
export async function childOf(pid: number | undefined): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const [first = ''] = children.split(' ');
  return first === '' ? undefined : Number(first);
}

interface Ending {
  readonly exitCode?: number;
  readonly signal?: NodeJS.Signals;
  readonly shortMessage?: string;
}

/** @throws Error when the program did not run at all. */
export function exitCodeOf({ exitCode, signal, shortMessage }: Ending): number {
  if (exitCode !== undefined) return exitCode;
  if (signal !== undefined) return 128 + constants.signals[signal];
  throw new Error(shortMessage);
}
