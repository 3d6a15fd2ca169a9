import { describe, expect, test } from 'vitest';
import { type AskedServer, askServers } from '../../../src/facts/dns/ask-servers.ts';
import { answers, isSilent, type ServerAnswer, serverKey } from '../../../src/facts/dns/server-answer.ts';
import type { DnsAnswer, Host } from '../../../src/host/host.ts';
import { editedRecording } from '../edited-recording.ts';
import { answered, silence } from './dns-node.ts';

/** A host whose servers say one thing after the other, the last one from then on. */
async function talking(
  said: Readonly<Record<string, readonly DnsAnswer[]>>,
  msEach = 0,
): Promise<{ readonly host: Host; readonly batches: readonly (readonly string[])[] }> {
  const recorded = await editedRecording('coredns-on-unreachable-node');
  const batches: string[][] = [];
  const counts = new Map<string, number>();
  let now = recorded.now().getTime();
  const host: Host = {
    ...recorded,
    now: () => new Date(now),
    async askDns(questions) {
      now += msEach;
      batches.push(questions.map(({ server, protocol }) => `${server} ${protocol}`));
      return questions.map(({ server, protocol }) => {
        const key = `${server} ${protocol}`;
        const count = counts.get(key) ?? 0;
        counts.set(key, count + 1);
        return said[key]?.[count] ?? said[key]?.at(-1) ?? silence;
      });
    },
  };
  return { host, batches };
}

function server(address: string, more: Partial<AskedServer> = {}): AskedServer {
  return { server: address, port: 53, protocols: ['udp', 'tcp'], name: 'example.org', type: 'A', ...more };
}

async function tried(...said: readonly DnsAnswer[]) {
  const { host } = await talking({ '192.0.2.1 udp': said });
  const asked = await askServers(host, [server('192.0.2.1', { protocols: ['udp'] })], { slowMs: 1_000 });
  return asked.get('192.0.2.1')?.byProtocol.udp;
}

const late = answered('NOERROR', 1_200);
const short: DnsAnswer = { kind: 'answered', code: 'NOERROR', records: [], truncated: true, elapsedMs: 3 };
const rejected: DnsAnswer = { kind: 'blocked', reason: 'ICMP port unreachable' };
const strange: DnsAnswer = { kind: 'wrong-answer', reason: 'its id was another one' };
const unasked: DnsAnswer = { kind: 'not-asked', reason: 'there is no nsenter' };

describe('three tries come to', () => {
  test.each<[string, readonly DnsAnswer[], object]>([
    [
      'an answer at once',
      [answered()],
      { verdict: 'answers', tries: 1, elapsedMs: 4, detail: 'answered in 4 ms' },
    ],
    [
      'no such name, which is an answer',
      [answered('NXDOMAIN')],
      { verdict: 'answers', tries: 1, saysNone: true, detail: 'answered in 4 ms (NXDOMAIN)' },
    ],
    [
      'an answer in the end',
      [silence, silence, answered()],
      { verdict: 'answers', tries: 3, detail: 'answered in 4 ms, at try 3' },
    ],
    ['silence', [silence], { verdict: 'timed-out', tries: 3, detail: 'no answer in 3 tries of 1.5 s' }],
    ['no slowness when it is slow once', [late, answered()], { verdict: 'answers', tries: 2 }],
    ['slowness when it is slow each time', [late], { verdict: 'slow', tries: 3, elapsedMs: 1_200 }],
    [
      'truncation, asked once',
      [short],
      { verdict: 'truncated', tries: 1, detail: 'answer cut short (truncated), in 3 ms' },
    ],
    ['SERVFAIL', [answered('SERVFAIL')], { verdict: 'servfail', tries: 3, detail: 'SERVFAIL in 3 tries' }],
    ['no SERVFAIL that passes', [answered('SERVFAIL'), answered()], { verdict: 'answers', tries: 2 }],
    ['REFUSED', [answered('REFUSED')], { verdict: 'refused', tries: 3, detail: 'REFUSED in 3 tries' }],
    ['a refusal by another word', [answered('NOTIMP')], { verdict: 'refused', detail: 'NOTIMP in 3 tries' }],
    [
      'a rejection',
      [rejected],
      { verdict: 'blocked', tries: 3, detail: 'rejected in 3 tries (ICMP port unreachable)' },
    ],
    ['what came rather than what did not', [silence, rejected, silence], { verdict: 'blocked', tries: 3 }],
    [
      'a wrong answer',
      [strange],
      { verdict: 'wrong-answer', detail: 'no right answer in 3 tries: its id was another one' },
    ],
    [
      'nothing where nothing can be asked',
      [unasked],
      { verdict: 'not-asked', tries: 0, elapsedMs: undefined, detail: 'not asked: there is no nsenter' },
    ],
  ])('%s', async (_what, said, expected) => {
    expect(await tried(...said)).toMatchObject(expected);
  });
});

test('all are asked together, and again only those that have not answered', async () => {
  const { host, batches } = await talking({
    '192.0.2.1 udp': [answered()],
    '192.0.2.1 tcp': [silence, answered()],
    '192.0.2.2 udp': [answered()],
    '192.0.2.2 tcp': [answered()],
  });
  await askServers(host, [server('192.0.2.1'), server('192.0.2.2')], { slowMs: 1_000 });
  expect(batches).toEqual([
    ['192.0.2.1 udp', '192.0.2.1 tcp', '192.0.2.2 udp', '192.0.2.2 tcp'],
    ['192.0.2.1 tcp'],
  ]);
});

test('where all answer at once there is one round trip', async () => {
  const { host, batches } = await talking({ '192.0.2.1 udp': [answered()], '192.0.2.1 tcp': [answered()] });
  await askServers(host, [server('192.0.2.1')], { slowMs: 1_000 });
  expect(batches).toHaveLength(1);
});

test('nobody is asked where there is nobody to ask', async () => {
  const { host, batches } = await talking({});
  expect(await askServers(host, [], { slowMs: 1_000 })).toEqual(new Map());
  expect(batches).toEqual([]);
});

test('no try is begun that could end after six seconds', async () => {
  const { host, batches } = await talking({}, 2_400);
  await askServers(host, [server('192.0.2.1')], { slowMs: 1_000 });
  expect(batches).toHaveLength(2);
});

test('a server that is listed twice is asked one question: the first', async () => {
  const { host, batches } = await talking({});
  const asked = await askServers(
    host,
    [server('192.0.2.1', { protocols: ['udp'] }), server('192.0.2.1', { protocols: ['tcp'] })],
    { slowMs: 1_000 },
  );
  expect(batches[0]).toEqual(['192.0.2.1 udp']);
  expect([...asked.keys()]).toEqual(['192.0.2.1']);
});

test('a server is named with its port where that is another one', () => {
  expect(serverKey({ server: '8.8.8.8', port: 53 })).toBe('8.8.8.8');
  expect(serverKey({ server: '10.0.0.2', port: 5353 })).toBe('10.0.0.2:5353');
  expect(serverKey({ server: '2001:db8::1', port: 53 })).toBe('2001:db8::1');
  expect(serverKey({ server: '2001:db8::1', port: 853 })).toBe('[2001:db8::1]:853');
});

describe('of a server', () => {
  async function of(udp: DnsAnswer, tcp: DnsAnswer): Promise<ServerAnswer> {
    const { host } = await talking({ '192.0.2.1 udp': [udp], '192.0.2.1 tcp': [tcp] });
    const asked = (await askServers(host, [server('192.0.2.1')], { slowMs: 1_000 })).get('192.0.2.1');
    if (asked === undefined) throw new Error('it was not asked');
    return asked;
  }

  test.each<[string, DnsAnswer, DnsAnswer, boolean, boolean]>([
    ['that answers by both', answered(), answered(), true, false],
    ['that answers by one', silence, answered(), true, false],
    ['that answers late', late, late, true, false],
    ['that says nothing', silence, silence, false, true],
    ['in whose stead ICMP comes', rejected, rejected, false, true],
    ['that refuses', answered('REFUSED'), silence, false, false],
    ['that cuts its answers short and has no TCP', short, rejected, false, false],
    ['that could not be asked', unasked, unasked, false, false],
    ['that could not be asked by one', silence, unasked, false, false],
    ['that answers something else', strange, silence, false, false],
  ])('%s', async (_which, udp, tcp, itAnswers, itIsSilent) => {
    const asked = await of(udp, tcp);
    expect([answers(asked), isSilent(asked)]).toEqual([itAnswers, itIsSilent]);
  });
});
