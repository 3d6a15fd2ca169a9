import { answerQueue } from './answer-queue.ts';
import type { DnsAnswer, DnsQuestion } from './host.ts';
import type { RecordedDns, RecordingInput } from './recording-format.ts';

type DnsEntry = NonNullable<RecordingInput['dns']>[number];

/** One question, and what became of it, for a recording. */
export function dnsEntry(question: DnsQuestion, process: number | undefined, answer: DnsAnswer): DnsEntry {
  const { server, port, protocol, name, type } = question;
  const asked = {
    server,
    ...(port !== undefined && { port }),
    protocol,
    name,
    type,
    ...(process !== undefined && { process }),
  };
  switch (answer.kind) {
    case 'answered': {
      const { code, records, truncated, elapsedMs } = answer;
      return { ...asked, code, records: [...records], ...(truncated && { truncated }), elapsedMs };
    }
    case 'timed-out':
      return { ...asked, timedOut: true };
    case 'blocked':
      return { ...asked, blocked: answer.reason };
    case 'wrong-answer':
      return { ...asked, wrongAnswer: answer.reason };
    case 'not-asked':
      return { ...asked, notAsked: answer.reason };
  }
}

/** What makes two questions the same; how long they may take does not. */
export function dnsKey(
  { server, port, protocol, name, type }: Partial<DnsQuestion>,
  process: number | undefined,
): readonly unknown[] {
  return [server, port ?? (protocol === 'tls' ? 853 : 53), protocol, name, type, process];
}

/** Gives the recorded answers. */
export function dnsReplay(
  recorded: readonly RecordedDns[],
): (question: DnsQuestion, process: number | undefined) => DnsAnswer {
  const print = (question: Partial<DnsQuestion>, process: number | undefined) =>
    JSON.stringify(dnsKey(question, process));
  const answers = answerQueue(recorded, ({ server, port, protocol, name, type, process }) =>
    print(
      {
        server,
        protocol,
        ...(port !== undefined && { port }),
        ...(name !== undefined && { name }),
        ...(type !== undefined && { type }),
      },
      process,
    ),
  );
  return (question, process) => {
    const { name: _any, type: _any2, ...server } = question;
    const entry = answers(print(question, process)) ?? answers(print(server, process));
    return entry === undefined ? { kind: 'not-asked', reason: 'not recorded' } : readAnswer(entry, question);
  };
}

function readAnswer(entry: RecordedDns, { timeoutMs }: DnsQuestion): DnsAnswer {
  const { code, records = [], truncated = false, elapsedMs = 1, blocked, wrongAnswer, notAsked } = entry;
  if (code !== undefined) return { kind: 'answered', code, records, truncated, elapsedMs };
  if (blocked !== undefined) return { kind: 'blocked', reason: blocked };
  if (wrongAnswer !== undefined) return { kind: 'wrong-answer', reason: wrongAnswer };
  if (notAsked !== undefined) return { kind: 'not-asked', reason: notAsked };
  return { kind: 'timed-out', timeoutMs };
}
