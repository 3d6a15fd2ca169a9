import { expect, test } from 'vitest';
import { lookAtDns, printQuestion } from '../../../src/engine/conditions/dns-answers.ts';
import type { DnsAnswer, DnsQuestion } from '../../../src/host/host.ts';
import { liveNode } from '../steps/live-node.ts';

const question: DnsQuestion = {
  server: '10.43.0.10',
  protocol: 'udp',
  name: 'example.org',
  type: 'A',
  timeoutMs: 1500,
};
const tcp: DnsQuestion = { ...question, protocol: 'tcp' };
const answered = (code: string): DnsAnswer => ({
  kind: 'answered',
  code,
  records: [],
  truncated: false,
  elapsedMs: 1,
});

/** What a server says is made up here; the real ones are asked in test/host and in the lab. */
async function look(answers: readonly DnsAnswer[], orNoSuchName = false) {
  const { host } = liveNode();
  const condition = {
    kind: 'dns-answers',
    questions: [question, tcp],
    ...(orNoSuchName && { orNoSuchName }),
  } as const;
  return lookAtDns(condition, { ...host, askDns: async () => answers });
}

test('it holds when every server answers', async () => {
  expect(await look([answered('NOERROR'), answered('NOERROR')])).toEqual({ kind: 'holds' });
  expect(await look([answered('NXDOMAIN'), answered('NOERROR')], true)).toEqual({ kind: 'holds' });
});

test.each<[string, readonly DnsAnswer[], string]>([
  ['says so', [answered('SERVFAIL'), answered('NOERROR')], '10.43.0.10: SERVFAIL'],
  ['knows no such name', [answered('NOERROR'), answered('NXDOMAIN')], '10.43.0.10 (tcp): NXDOMAIN'],
  [
    'is silent',
    [{ kind: 'timed-out', timeoutMs: 1500 }, answered('REFUSED')],
    '10.43.0.10: no answer in 1.5 s; 10.43.0.10 (tcp): REFUSED',
  ],
  ['is walled off', [answered('NOERROR'), { kind: 'blocked', reason: 'reset' }], '10.43.0.10 (tcp): reset'],
  ['was not asked', [answered('NOERROR')], '10.43.0.10 (tcp): it was not asked'],
])('a server that %s is told', async (_, answers, seen) => {
  expect(await look(answers)).toEqual({ kind: 'not-yet', seen });
});

test('what refuses is no answer where an unknown name would be one', async () => {
  expect(await look([answered('REFUSED'), answered('NOERROR')], true)).toMatchObject({ kind: 'not-yet' });
});

test('a question is told as a person would', () => {
  expect(printQuestion(question)).toBe('example.org A from 10.43.0.10');
  expect(printQuestion({ ...tcp, server: 'fd00::a', port: 5353, name: '', type: 'NS' })).toBe(
    '. NS from [fd00::a]:5353 (tcp)',
  );
});
