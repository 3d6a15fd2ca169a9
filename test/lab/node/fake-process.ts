import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Place } from './create-place.ts';
import { idleProgram } from './idle-program.ts';
import { childOf, type RunningProcess } from './start-process.ts';
import { writeFile } from './write-file.ts';

/**
 * A process that does nothing, under a name and with arguments of choice as /proc shows them.
 *
 * The kernel takes the name from the executable file, and a script's arguments begin with its
 * interpreter, so a program of our own is needed: one that takes any arguments.
 */
export async function fakeProcess(
  node: Place,
  name: string,
  args: readonly string[],
): Promise<RunningProcess> {
  const path = `/run/lab/bin/${name}`;
  await writeFile(node, { path, content: idleProgram(process.arch), mode: '755' });
  const running = node.start([path, ...args]);
  for (let attempt = 0; attempt < 500; attempt++) {
    const comm = await readFile(`/proc/${await childOf(running.pid)}/comm`, 'utf8').catch(() => '');
    // The kernel keeps 15 characters. Until then it is still setpriv, on its way to be our program.
    if (comm.trimEnd() === name.slice(0, 15)) return running;
    await delay(2);
  }
  throw new Error(`${path} did not start: ${(await running.stop()).stderr}`);
}
