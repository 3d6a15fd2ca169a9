import { createInterface } from 'node:readline/promises';

/** Asks at the terminal. Anything but a clear yes, the end of input and the signal included, is a no. */
export async function askYesNo(question: string, signal?: AbortSignal): Promise<boolean> {
  if (signal?.aborted) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => {
    terminal.once('close', () => resolve(''));
  });
  signal?.addEventListener('abort', () => terminal.close(), { once: true });
  const answer = await Promise.race([terminal.question(`${question} [y/N] `), closed]);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
