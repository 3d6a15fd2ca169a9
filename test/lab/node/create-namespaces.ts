import { bootScript } from './boot-script.ts';
import { childOf, startProcess } from './start-process.ts';

export interface Namespaces {
  /** Their first process, as this machine counts processes. */
  readonly pid: number;
  /** Ends every process in them, and returns when the last one is gone. */
  stop(): Promise<void>;
}

/**
 * Makes the namespaces of one node and boots it in them.
 *
 * Their first process waits for the end of its input, which we hold open. Whatever ends us, even
 * SIGKILL, closes it; when the first process has ended the kernel kills all others and takes the
 * namespaces apart. The death signals do the same should anybody else hold our end of the pipe.
 *
 * @throws Error with what the boot script said, when it fails.
 */
export async function createNamespaces(hostname: string): Promise<Namespaces> {
  const unshare = startProcess(['setpriv', '--pdeathsig', 'KILL', ...unshareAll, bootScript(hostname)]);
  await unshare.waitForLine('ready');
  const pid = await childOf(unshare.pid);
  if (pid === undefined) throw new Error('The lab node ended while it started');
  return {
    pid,
    stop: async () => {
      unshare.closeInput();
      await unshare.ended;
    },
  };
}

const unshareAll = [
  ...['unshare', '--mount', '--net', '--pid', '--uts', '--fork', '--kill-child=SIGKILL'],
  ...['--mount-proc', '--propagation', 'private', 'sh', '-ec'],
];
