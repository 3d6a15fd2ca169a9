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
  /** Of what was started here; inside a node, the program itself is the child of this. */
  readonly pid: number | undefined;
  readonly ended: Promise<ExecResult>;
  /** The first line of its output with this text in it. @throws Error when there is none in time. */
  waitForLine(text: string, timeoutMs?: number): Promise<string>;
  /** What it has printed to its standard output so far. */
  printed(): string;
  closeInput(): void;
  /** Sends a signal, default SIGKILL, to the program and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<ExecResult>;
}

export interface ProcessOptions {
  /** On a node: besides PATH, HOME and LC_ALL, which are those of a system service. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads. A program that goes on has an open input, without it, until `closeInput`. */
  readonly input?: string | Uint8Array;
  /** `inherit`: what it prints goes where ours goes, and is not in the result. */
  readonly output?: 'pipe' | 'inherit';
}

/**
 * Starts a program, alone or entered through nsenter. Ctrl-C at the terminal does not reach it: that
 * is for the one who started us, who may want to look once more before the node goes.
 *
 * @throws Error from `ended`, when there is no such program.
 */
export function startProcess(
  [program = '', ...args]: readonly string[],
  { env, input, output = 'pipe' }: ProcessOptions = {},
): RunningProcess {
  const subprocess = execa(program, args, {
    detached: true,
    reject: false,
    stripFinalNewline: false,
    stdout: output,
    stderr: output,
    ...(env === undefined ? {} : { env, extendEnv: false }),
    ...(input === undefined ? {} : { input }),
  });
  let printed = '';
  subprocess.stdout?.on('data', (chunk) => {
    printed += String(chunk);
  });
  let hasEnded = false;
  const ended = subprocess.then((result): ExecResult => {
    hasEnded = true;
    return { exitCode: exitCodeOf(result), stdout: result.stdout ?? '', stderr: result.stderr ?? '' };
  });

  const stop = async (signal: NodeJS.Signals = 'SIGKILL') => {
    // nsenter passes no signal on. And were it killed itself, nobody in the node would reap its child.
    const child = await childOf(subprocess.pid);
    if (!hasEnded) sendSignal(child ?? subprocess.pid, signal);
    return ended;
  };

  const waitForLine = async (text: string, timeoutMs = 10_000) => {
    const deadline = performance.now() + timeoutMs;
    for (let isLast = false; !isLast; await delay(2)) {
      isLast = hasEnded || performance.now() > deadline;
      const lines = printed.split('\n').slice(0, -1);
      const line = lines.find((candidate) => candidate.includes(text));
      if (line !== undefined) return line;
    }
    const why = hasEnded ? `it ended: ${(await ended).stderr}` : `not in ${timeoutMs} ms`;
    throw new Error(`${program} did not print "${text}": ${why}`);
  };

  return {
    pid: subprocess.pid,
    ended,
    waitForLine,
    printed: () => printed,
    closeInput: () => subprocess.stdin?.end(),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

/** The first child of a process, `undefined` when it has none or is gone. */
export async function childOf(pid: number | undefined): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const [first = ''] = children.split(' ');
  return first === '' ? undefined : Number(first);
}

function sendSignal(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, signal);
  } catch {
    // It has just ended by itself.
  }
}

interface Ending {
  readonly exitCode?: number | undefined;
  readonly signal?: NodeJS.Signals | undefined;
  readonly shortMessage?: string | undefined;
}

function exitCodeOf({ exitCode, signal, shortMessage }: Ending): number {
  if (exitCode !== undefined) return exitCode;
  if (signal !== undefined) return 128 + constants.signals[signal];
  throw new Error(shortMessage);
}
