import type { DnsAnswer, DnsQuestion, Host } from '../../host/host.ts';
import { type ServerAnswer, serverKey, type Tried } from './server-answer.ts';

/** By `serverKey`. */
export type Answers = ReadonlyMap<string, ServerAnswer>;

export interface AskedServer {
  readonly server: string;
  readonly port: number;
  readonly protocols: readonly DnsQuestion['protocol'][];
  /** What its certificate has to be for. */
  readonly serverName?: string | undefined;
  /** Without the dot at its end. */
  readonly name: string;
  readonly type: DnsQuestion['type'];
}

export interface Asking {
  /** An answer that takes longer is called slow, if it does so at every try. */
  readonly slowMs: number;
  /** Asked from within this process' network. */
  readonly process?: number | undefined;
}

const tries = 3;
const tryMs = 1_500;
/** No further try is begun that could end later than this. */
const overallMs = 6_000;

/**
 * Asks all servers at the same time, by each of their protocols, again and again until each has given an
 * answer or had three tries. Who is listed twice is asked once, for what stands there first.
 */
export async function askServers(
  host: Host,
  servers: readonly AskedServer[],
  { slowMs, process }: Asking,
): Promise<Answers> {
  const unlike = new Map(servers.toReversed().map((server) => [serverKey(server), server]));
  const asked = [...new Set(servers.map(serverKey))].flatMap((key) => unlike.get(key) ?? []);
  const attempts = asked.flatMap((server) => server.protocols.map((protocol) => attempt(server, protocol)));
  const started = host.now().getTime();
  for (let round = 1; round <= tries; round += 1) {
    const open = attempts.filter(({ answers }) => !isSettled(answers, slowMs));
    const elapsed = host.now().getTime() - started;
    if (open.length === 0 || elapsed + tryMs > overallMs) break;
    const questions = open.map(({ question }) => question);
    // Without `process` where there is none: it is then the question of every other caller.
    const given =
      process === undefined ? await host.askDns(questions) : await host.askDns(questions, process);
    for (const [index, { answers }] of open.entries()) answers.push(given[index] ?? unasked);
  }
  return new Map(
    asked.map((server) => [
      serverKey(server),
      {
        server: server.server,
        port: server.port,
        byProtocol: Object.fromEntries(
          attempts
            .filter((each) => each.of === server)
            .map(({ question, answers }) => [question.protocol, judge(answers, slowMs)]),
        ),
      },
    ]),
  );
}

interface Attempt {
  readonly of: AskedServer;
  readonly question: DnsQuestion;
  readonly answers: DnsAnswer[];
}

function attempt(of: AskedServer, protocol: DnsQuestion['protocol']): Attempt {
  const { server, port, serverName, name, type } = of;
  const certificate = serverName === undefined || protocol !== 'tls' ? {} : { serverName };
  return {
    of,
    question: { server, port, protocol, ...certificate, name, type, timeoutMs: tryMs },
    answers: [],
  };
}

const unasked: DnsAnswer = { kind: 'not-asked', reason: 'nothing was said of it' };

/** Best first: what one try showed is not undone by another one. */
const byWorth: readonly Tried['verdict'][] = [
  'answers',
  'slow',
  'truncated',
  'servfail',
  'refused',
  'wrong-answer',
  'blocked',
  'timed-out',
  'not-asked',
];

/** A question that cannot be asked cannot be asked the next time, and what is cut short stays so. */
function isSettled(answers: readonly DnsAnswer[], slowMs: number): boolean {
  const last = answers.at(-1);
  if (last === undefined) return false;
  return ['answers', 'truncated', 'not-asked'].includes(verdictOf(last, slowMs));
}

function verdictOf(answer: DnsAnswer, slowMs: number): Tried['verdict'] {
  if (answer.kind !== 'answered') return answer.kind;
  if (answer.truncated) return 'truncated';
  if (answer.code === 'SERVFAIL') return 'servfail';
  if (answer.code !== 'NOERROR' && answer.code !== 'NXDOMAIN') return 'refused';
  return answer.elapsedMs > slowMs ? 'slow' : 'answers';
}

function judge(answers: readonly DnsAnswer[], slowMs: number): Tried {
  const verdicts = answers.map((answer) => verdictOf(answer, slowMs));
  const verdict = byWorth.find((each) => verdicts.includes(each)) ?? 'not-asked';
  const at = verdicts.lastIndexOf(verdict);
  const answer = answers[at] ?? unasked;
  return {
    verdict,
    tries: verdict === 'not-asked' ? 0 : answers.length,
    elapsedMs: answer.kind === 'answered' ? answer.elapsedMs : undefined,
    ...((verdict === 'answers' || verdict === 'slow') && saysNone(answer) && { saysNone: true }),
    detail: describe(answer, verdict, answers.length),
  };
}

function saysNone(answer: DnsAnswer): boolean {
  return answer.kind === 'answered' && (answer.code === 'NXDOMAIN' || answer.records.length === 0);
}

function describe(answer: DnsAnswer, verdict: Tried['verdict'], count: number): string {
  const all = count === 1 ? '' : ` in ${count} tries`;
  if (answer.kind === 'timed-out') {
    const each = `${answer.timeoutMs / 1000} s`;
    return count === 1 ? `no answer in ${each}` : `no answer in ${count} tries of ${each}`;
  }
  if (answer.kind === 'blocked') return `rejected${all} (${answer.reason})`;
  if (answer.kind === 'wrong-answer') return `no right answer${all}: ${answer.reason}`;
  if (answer.kind === 'not-asked') return `not asked: ${answer.reason}`;
  const time = `${Math.round(answer.elapsedMs)} ms`;
  if (verdict === 'truncated') return `answer cut short (truncated), in ${time}`;
  if (verdict === 'servfail' || verdict === 'refused') return `${answer.code}${all}`;
  const code = answer.code === 'NOERROR' ? '' : ` (${answer.code})`;
  const late = count === 1 ? '' : verdict === 'slow' ? `, the last of ${count} tries` : `, at try ${count}`;
  return `answered in ${time}${code}${late}`;
}
