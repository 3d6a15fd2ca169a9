import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { tools as knownTools, type Tool } from '../../../src/host/tools.ts';
import { type Report, reportSchema } from '../../../src/report/report-schema.ts';
import { wrapTool } from '../ghosts/wrap-tool.ts';
import { doctorCommand } from '../node/start-node.ts';
import { type BrokenNode, type NodeState, stateFolder } from './broken-node.ts';
import type { FaultRow } from './fault-table.ts';

/** Something that goes wrong during one `fix --yes`. */
export interface Fault extends Pick<FaultRow, 'what' | 'where'> {
  /** In place of a tool: a shell script in which `real "$@"` is the tool, or null for a program that is not there. */
  readonly tools?: Partial<Record<Tool, string | null>>;
  /** Makes it so on the node; what it returns makes it good again. */
  readonly prepare?: (node: BrokenNode) => Promise<(() => Promise<void>) | undefined>;
  /** An SSH server listens, and whether it can be reached is compared. */
  readonly ssh?: true;
  /** Command line that the doctor's is added to. */
  readonly under?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Breaks the node, runs a fix under the fault and says how it ended. Fails if the node is neither
 * before nor after, if anything foreign was changed, if what was said is not so, or if a watchdog stays.
 */
export async function tryFault(node: BrokenNode, fault: Fault): Promise<FaultRow> {
  await node.breakAgain();
  await using server = fault.ssh && node.start([process.execPath, servePod, 'ssh', '22', '']);
  await server?.waitForLine('serving');
  const guards = { probes: { api: false, ssh: fault.ssh ?? false, dns: false, peer: false } };
  await node.configure({ guards, ...(await toolSettings(node, fault.tools ?? {})) });
  const makeGood = await fault.prepare?.(node);
  const { exitCode, report, stderr } = await fix(node, fault);
  const state = await node.state();
  const isOpen = (await node.exec(['test', '-e', `${stateFolder}/journal/open`])).exitCode === 0;
  const row = { what: fault.what, where: fault.where, exitCode };
  expectTruth({ exitCode, report, stderr, state });
  await makeGood?.();
  await node.configure();
  if (!isOpen) {
    await expectNoWatchdog(node);
    if (state === 'between') throw new Error(`left between, and said to be over: ${stderr}`);
    return { ...row, node: inWords[state], later: '' };
  }
  const settled = await node.doctor(['settle']);
  expect(settled).toMatchObject({ exitCode: 0, stderr: '' });
  const later = await node.state();
  if (later === 'between') throw new Error(`settled, and between: ${settled.stdout}`);
  await expectNoWatchdog(node);
  return { ...row, node: inWords[state], later: inWords[later] };
}

const servePod = fileURLToPath(new URL('../node/serve-pod.ts', import.meta.url));

const inWords: Readonly<Record<NodeState, string>> = {
  before: 'as before',
  after: 'repaired',
  between: 'in part',
};

async function toolSettings(node: BrokenNode, tools: Partial<Record<Tool, string | null>>) {
  const commands: Partial<Record<string, string>> = {};
  for (const [tool, script] of Object.entries(tools)) {
    if (script === undefined) continue;
    commands[tool] = script === null ? '/run/lab/not-there' : await wrapTool(node, asTool(tool), script);
  }
  return { commands };
}

function asTool(name: string): Tool {
  const tool = knownTools.find((known) => known === name);
  if (!tool) throw new Error(`no such tool: ${name}`);
  return tool;
}

async function fix(node: BrokenNode, { under = [], env = {} }: Fault) {
  const command = [...under, ...doctorCommand, 'fix', 'iptables-ghosts', '--yes', '--format', 'json'];
  const { exitCode } = await node.exec(
    ['sh', '-c', 'exec "$0" "$@" >/run/lab/report 2>/run/lab/errors </dev/null', ...command],
    { env, timeoutMs: 40_000 },
  );
  const printed = await node.readFile('/run/lab/report');
  const report = printed === '' ? undefined : reportSchema().parse(JSON.parse(printed));
  return { exitCode, report, stderr: await node.readFile('/run/lab/errors') };
}

interface Ended {
  readonly exitCode: number;
  readonly report: Report | undefined;
  readonly stderr: string;
  readonly state: NodeState;
}

/** What the exit code and the report say is so. */
function expectTruth({ exitCode, report, stderr, state }: Ended): void {
  const said = JSON.stringify({ exitCode, fix: report?.fix, stderr });
  expect(stderr, said).not.toContain('internal error');
  expect([0, 1, 2, 3, 4], said).toContain(exitCode);
  if (!report) {
    // Refused before its first write, in one line.
    expect(stderr.trim().split('\n'), said).toHaveLength(1);
    expect([3, 4], said).toContain(exitCode);
    return void expect(state, said).toBe('before');
  }
  const { outcome, rollback, notes = [], reason } = report.fix ?? {};
  expect(outcome === 'done', said).toBe(exitCode === 0);
  if (outcome === 'done') return void expect(state, said).toBe('after');
  if (outcome !== 'failed') return void expect(state, said).toBe('before');
  expect(exitCode, said).toBe(3);
  expect(reason, said).toMatch(/\S/);
  if (rollback === 'complete') expect(state, said).toBe('before');
  else expect(notes.join(), said).toMatch(/as it was: /);
}

/** It looks at the journal every second. */
async function expectNoWatchdog(node: BrokenNode): Promise<void> {
  for (let tries = 0; tries < 30; tries++, await delay(100)) {
    if ((await node.exec(['pgrep', '-f', 'unless-confirmed'])).exitCode === 1) return;
  }
  throw new Error('a watchdog is left behind');
}
