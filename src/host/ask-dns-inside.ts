import { dnsAnswersSchema } from './dns-schema.ts';
import type { Command, CommandResult, DnsAnswer, DnsQuestion } from './host.ts';

/** To start a program in another network, load it, and end. */
const startMs = 5_000;

/**
 * Asks from inside a process's network namespace, by another process of this program that enters it. Where
 * that cannot be, every answer is `not-asked` and says why.
 */
export async function askDnsInside(
  process: number,
  questions: readonly DnsQuestion[],
  run: (command: Command) => Promise<CommandResult>,
  ownProgram: readonly string[] | undefined,
): Promise<readonly DnsAnswer[]> {
  if (questions.length === 0) return [];
  if (!Number.isSafeInteger(process) || process < 1) throw new Error(`no process: ${process}`);
  const none = (why: string): readonly DnsAnswer[] =>
    questions.map(() => ({
      kind: 'not-asked',
      reason: `in the network of process ${process}: ${why}`,
    }));
  if (ownProgram === undefined) return none('k3s-doctor cannot be started again');
  const result = await run({
    tool: 'nsenter',
    args: [`--net=/proc/${process}/ns/net`, '--', ...ownProgram, 'ask-dns'],
    input: JSON.stringify(questions),
    timeoutMs: Math.max(...questions.map(({ timeoutMs }) => timeoutMs)) + startMs,
  });
  if (result.kind !== 'exited') return none(describe(result));
  const said = result.stderr.trim().split('\n')[0];
  if (result.exitCode !== 0) return none(said || `exit code ${result.exitCode}`);
  const answers = dnsAnswersSchema().safeParse(parseJson(result.stdout));
  const isWhole = answers.success && answers.data.length === questions.length;
  return isWhole ? answers.data : none('what came back are no answers');
}

function describe(result: Exclude<CommandResult, { kind: 'exited' }>): string {
  switch (result.kind) {
    case 'absent':
      return 'there is no nsenter';
    case 'timeout':
      return `no end after ${result.timeoutMs / 1000} s`;
    case 'failed-to-start':
      return result.reason;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
