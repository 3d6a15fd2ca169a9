import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Namespaces } from './create-namespaces.ts';
import type { ExecResult, ProcessOptions, RunningProcess } from './start-process.ts';

/** Somewhere in the lab, from where programs run and traffic is sent: the node, a pod, a client. */
export interface Place {
  /** Runs a program to its end, whatever its exit code. @throws Error when it takes too long. */
  exec(command: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Runs a program that has to succeed, and returns its output. @throws Error when it does not. */
  run(command: readonly string[], options?: ExecOptions): Promise<string>;
  /** Starts a program that goes on. It ends with the node at the latest. */
  start(command: readonly string[], options?: ProcessOptions): RunningProcess;
  /** One GET request over a connection of its own. */
  http(address: string, port: number, options?: TrafficOptions): Promise<TrafficResult>;
  /** One datagram and the answer to it. */
  udp(address: string, port: number, options?: TrafficOptions): Promise<TrafficResult>;
}

export interface ExecOptions extends ProcessOptions {
  /** Default 30,000. */
  readonly timeoutMs?: number;
}

interface TrafficOptions {
  /** Default 1,000. */
  readonly timeoutMs?: number;
  /** Send from this port: a second datagram from the same one meets the same conntrack entry. */
  readonly localPort?: number;
}

/** `reason`: timeout, refused, unreachable, or the system's code for anything else. */
type TrafficResult = z.infer<typeof trafficResult>;

const trafficResult = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), body: z.string(), localPort: z.number() }),
  z.object({ ok: z.literal(false), reason: z.string() }),
]);

/** A place in the network namespace of that name, or in the node's own. */
export function createPlace(namespaces: Pick<Namespaces, 'start'>, netns?: string): Place {
  const start = (command: readonly string[], { env, ...options }: ProcessOptions = {}) =>
    namespaces.start(command, { ...options, netns, env: { ...serviceEnv, ...env } });
  const exec = async (command: readonly string[], { timeoutMs = 30_000, ...options }: ExecOptions = {}) => {
    const result = await endInTime(start(command, { input: '', ...options }), timeoutMs);
    if (result === 'late') throw new Error(`${command.join(' ')}: not done in ${timeoutMs} ms`);
    return result;
  };
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
    start,
    exec,
    run,
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

async function endInTime(running: RunningProcess, timeoutMs: number): Promise<ExecResult | 'late'> {
  let isLate = false;
  const timer = setTimeout(async () => {
    isLate = true;
    await running.stop();
  }, timeoutMs);
  const result = await running.ended.finally(() => clearTimeout(timer));
  return isLate ? 'late' : result;
}
