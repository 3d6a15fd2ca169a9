import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type ExecResult, type RunningProcess, startProcess } from './start-process.ts';

/** Somewhere in the lab, from where programs run and traffic is sent: the node, a pod, a client. */
export interface Place {
  /** Runs a program to its end, whatever its exit code. @throws Error when it takes too long. */
  exec(command: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Runs a program that has to succeed, and returns its output. @throws Error when it does not. */
  run(command: readonly string[], options?: ExecOptions): Promise<string>;
  /** Starts a program that goes on. It ends with the node at the latest. */
  start(command: readonly string[], options?: Pick<ExecOptions, 'env'>): RunningProcess;
  /** One GET request over a connection of its own. */
  http(address: string, port: number, options?: TrafficOptions): Promise<TrafficResult>;
  /** One datagram and the answer to it. */
  udp(address: string, port: number, options?: TrafficOptions): Promise<TrafficResult>;
}

export interface ExecOptions {
  readonly input?: string | Uint8Array;
  /** Besides PATH, HOME and LC_ALL, which are those of a system service. Ours does not get through. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default 30,000. */
  readonly timeoutMs?: number;
  /** `inherit`: what it prints goes where ours goes, and is not in the result. */
  readonly output?: 'pipe' | 'inherit';
}

export interface TrafficOptions {
  /** Default 1,000. */
  readonly timeoutMs?: number;
  /** Send from this port: a second datagram from the same one meets the same conntrack entry. */
  readonly localPort?: number;
}

/** `reason`: timeout, refused, unreachable, or the system's code for anything else. */
export type TrafficResult = z.infer<typeof trafficResult>;

const trafficResult = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), body: z.string(), localPort: z.number() }),
  z.object({ ok: z.literal(false), reason: z.string() }),
]);

interface PlaceSpec {
  readonly namespacesPid: number;
  /** A named network namespace in the node; without it the node's own. */
  readonly netns?: string;
}

export function createPlace({ namespacesPid, netns }: PlaceSpec): Place {
  const net = netns === undefined ? '--net' : `--net=/proc/${namespacesPid}/root/run/netns/${netns}`;
  const enter = [
    ...['nsenter', `--target=${namespacesPid}`, '--mount', '--uts', '--pid', net],
    // A program does not outlive the nsenter that waits for it.
    ...['setpriv', '--pdeathsig', 'KILL', '--'],
  ];
  const exec = (command: readonly string[], options: ExecOptions = {}) =>
    runToEnd([...enter, ...command], options);
  const run = async (command: readonly string[], options: ExecOptions = {}) => {
    const { exitCode, stdout, stderr } = await exec(command, options);
    if (exitCode !== 0) throw new Error(`${command.join(' ')}: exit code ${exitCode}, ${stderr || stdout}`);
    return stdout;
  };
  const send = async (target: readonly string[], { timeoutMs = 1_000, localPort = 0 }: TrafficOptions) => {
    const answer = await run([process.execPath, sendTraffic, ...target, `${timeoutMs}`, `${localPort}`]);
    return trafficResult.parse(JSON.parse(answer));
  };

  return {
    exec,
    run,
    start: (command, { env } = {}) =>
      startProcess([...enter, ...command], { env: { ...serviceEnv, ...env } }),
    http: (address, port, options = {}) => send(['http', address, `${port}`], options),
    udp: (address, port, options = {}) => send(['udp', address, `${port}`], options),
  };
}

const sendTraffic = fileURLToPath(new URL('./send-traffic.ts', import.meta.url));

const serviceEnv = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  // Else every start of a program strips and compiles its TypeScript anew, half of its time.
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../../node_modules/.cache/lab', import.meta.url)),
};

async function runToEnd(command: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const { input = '', env, timeoutMs = 30_000, output = 'pipe' } = options;
  const running = startProcess(command, { input, output, env: { ...serviceEnv, ...env } });
  let isLate = false;
  const timer = setTimeout(async () => {
    isLate = true;
    await running.stop();
  }, timeoutMs);
  const result = await running.ended.finally(() => clearTimeout(timer));
  if (isLate) throw new Error(`${command.join(' ')}: not done in ${timeoutMs} ms`);
  return result;
}
