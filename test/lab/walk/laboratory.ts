/** The programs around the node under test. For use by a process in the node's network namespace. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Namespaces } from './network-script.ts';
import type { Frame, Order } from './probe.ts';
import { owners } from './world.ts';

export interface Laboratory extends AsyncDisposable {
  /** Sends frames to the node, one after the other. Returns what the node sent until all were through. */
  sendFrames(frames: readonly Frame[]): Promise<readonly Frame[]>;
  /** Lets one of the node's users send. @throws Error for what no firewall does. */
  sendAs(owner: number, orders: readonly Order[]): Promise<void>;
}

export function openLaboratory(namespaces: Namespaces, cpu: number): Laboratory {
  const outside = startServant([
    ...['nsenter', `--net=/run/netns/${namespaces.outside}`, 'taskset', '--cpu-list', `${cpu}`],
    ...[process.execPath, outsideProgram],
  ]);
  const senders = owners.map(({ uid, gid }) =>
    startServant([
      ...['setpriv', '--reuid', `${uid}`, '--regid', `${gid}`, '--clear-groups'],
      // Whoever it is may read the sources, wherever they are.
      ...['--inh-caps', '+dac_read_search', '--ambient-caps', '+dac_read_search'],
      ...[process.execPath, senderProgram],
    ]),
  );
  return {
    sendFrames: async (frames) => z.array(z.tuple([z.number(), z.string()])).parse(await outside.ask(frames)),
    sendAs: async (owner, orders) => {
      const failures = z.array(z.string()).parse(await senders[owner]?.ask(orders));
      if (failures.length > 0) throw new Error(`cannot send: ${failures.join('; ')}`);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([outside, ...senders].map((servant) => servant.stop()));
    },
  };
}

interface Servant {
  ask(question: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

/** A program that answers each line with a line. */
function startServant([command = '', ...args]: readonly string[]): Servant {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (question) => {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error(`${args.at(-1)} ended`);
      return JSON.parse(value);
    },
    stop: async () => {
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

const outsideProgram = fileURLToPath(new URL('./outside.ts', import.meta.url));
const senderProgram = fileURLToPath(new URL('./sender.ts', import.meta.url));

/** Runs a tool that has to succeed, and returns its output. @throws Error with what it said. */
export async function runTool([command = '', ...args]: readonly string[], input = ''): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  child.stdin.on('error', () => {
    // It ended without reading all: its exit code tells.
  });
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new ToolError(`${command} ${args.join(' ')}: exit code ${code}: ${stderr.trim()}`);
  return stdout;
}

export class ToolError extends Error {}
