import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Place } from '../node/create-place.ts';
import { type RunningProcess, startProcess } from '../node/start-process.ts';

export interface SshWatch {
  /** Ends it. */
  stop(): Promise<{ readonly tried: number; readonly failed: readonly string[] }>;
}

/** Something that listens on port 22 in a network, as sshd does, until it is stopped. */
export async function serveSsh({ network }: { readonly network: string }): Promise<RunningProcess> {
  const enter = ['setpriv', '--pdeathsig', 'KILL', 'nsenter', `--net=${network}`];
  const server = startProcess([...enter, process.execPath, servePod, 'sshd', '22', '']);
  await server.waitForLine('serving');
  return server;
}

/** Connects to it again and again from somewhere else. */
export async function watchSsh(from: Place, address: string): Promise<SshWatch> {
  const poll = from.start([process.execPath, pollPort, address, '22']);
  await poll.waitForLine('polling');
  return {
    async stop() {
      poll.closeInput();
      const { stdout } = await poll.ended;
      return result.parse(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? ''));
    },
  };
}

const result = z.object({ tried: z.number(), failed: z.array(z.string()) });
const servePod = fileURLToPath(new URL('../node/serve-pod.ts', import.meta.url));
const pollPort = fileURLToPath(new URL('./poll-port.ts', import.meta.url));
