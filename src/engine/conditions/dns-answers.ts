import type { DnsAnswer, DnsQuestion, Host } from '../../host/host.ts';
import type { Condition } from '../step.ts';
import { holds, notYet, type Seen } from './seen.ts';

type DnsAnswers = Extract<Condition, { kind: 'dns-answers' }>;

export async function lookAtDns({ questions, orNoSuchName }: DnsAnswers, host: Host): Promise<Seen> {
  const answers = await host.askDns(questions);
  const problems = questions.flatMap((question, index) => {
    const answer = answers[index];
    if (answer?.kind === 'answered') {
      if (answer.code === 'NOERROR' || (orNoSuchName && answer.code === 'NXDOMAIN')) return [];
    }
    return [`${printServer(question)}: ${describe(answer)}`];
  });
  return problems.length === 0 ? holds : notYet(problems.join('; '));
}

/** As for a person: `kubernetes.default.svc.cluster.local A from 10.43.0.10 (tcp)`. */
export function printQuestion(question: DnsQuestion): string {
  return `${question.name === '' ? '.' : question.name} ${question.type} from ${printServer(question)}`;
}

/** UDP at port 53 is what everybody thinks of. */
function printServer({ server, port = 53, protocol }: DnsQuestion): string {
  const at = port === 53 ? server : server.includes(':') ? `[${server}]:${port}` : `${server}:${port}`;
  return protocol === 'udp' ? at : `${at} (${protocol})`;
}

function describe(answer: DnsAnswer | undefined): string {
  if (answer === undefined) return 'it was not asked';
  switch (answer.kind) {
    case 'answered':
      return answer.code;
    case 'timed-out':
      return `no answer in ${answer.timeoutMs / 1000} s`;
    default:
      return answer.reason;
  }
}
