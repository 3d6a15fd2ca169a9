import { bootScript, type NodeAddresses } from './boot-script.ts';
import { childOf, type ProcessOptions, type RunningProcess, startProcess } from './start-process.ts';

export interface Namespaces {
  /** Starts a program in there. `netns`: in this named network namespace, not in the node's own. */
  start(
    command: readonly string[],
    options?: ProcessOptions & { netns?: string | undefined },
  ): RunningProcess;
  /** Of its network, as a path below our own /proc. */
  readonly network: string;
  /** Ends every process in there, and returns when the last one is gone. */
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
export async function createNamespaces(hostname: string, addresses: NodeAddresses): Promise<Namespaces> {
  const boot = bootScript(hostname, addresses);
  const unshare = startProcess(['setpriv', '--pdeathsig', 'KILL', ...unshareAll, boot]);
  await unshare.waitForLine('ready');
  const pid = await childOf(unshare.pid);
  if (pid === undefined) throw new Error('The lab node ended while it started');
  const running = new Set<RunningProcess>();
  return {
    network: `/proc/${pid}/ns/net`,
    start: (command, { netns, ...options } = {}) => {
      const started = startProcess([...nsenter(pid, netns), ...command], options);
      running.add(started);
      const forget = () => running.delete(started);
      started.ended.then(forget, forget);
      return started;
    },
    stop: async () => {
      unshare.closeInput();
      // Every nsenter is outside of the process namespace, and ends a moment after its child.
      await Promise.allSettled([unshare.ended, ...[...running].map(({ ended }) => ended)]);
    },
  };
}

/** A program does not outlive the nsenter that waits for it. */
function nsenter(pid: number, netns: string | undefined): readonly string[] {
  const net = netns === undefined ? '--net' : `--net=/proc/${pid}/root/run/netns/${netns}`;
  const enter = ['nsenter', `--target=${pid}`, '--mount', '--uts', '--pid', net];
  return [...enter, 'setpriv', '--pdeathsig', 'KILL', '--'];
}

const unshareAll = [
  ...['unshare', '--mount', '--net', '--pid', '--uts', '--fork', '--kill-child=SIGKILL'],
  ...['--mount-proc', '--propagation', 'private', 'sh', '-ec'],
];
