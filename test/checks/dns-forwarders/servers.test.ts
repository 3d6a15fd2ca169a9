import { expect, test } from 'vitest';
import { type Changes, diagnose, newCorefile, oldCorefile } from './cluster.ts';

const good = { '8.8.8.8': 'answers', '1.1.1.1': 'answers' } as const;
const three = oldCorefile('forward . 10.0.0.1 10.0.0.2 10.0.0.3');

const told = async (changes: Changes) => {
  const diagnosis = await diagnose(changes);
  expect(diagnosis.plan(() => true).steps).toEqual([]);
  return diagnosis.findings.map(({ code, subject, severity }) => `${severity} ${code}: ${subject}`);
};

test('nothing is wrong where every server answers', async () => {
  expect(await diagnose({ network: good })).toMatchObject({ outcome: 'ok', findings: [], reasons: [] });
});

test.each([
  ['is silent', 'silent', 'forwarder-down'],
  ['is rejected on the way', 'rejected', 'forwarder-down'],
  ['can resolve nothing', 'servfail', 'forwarder-down'],
  ['refuses', 'refused', 'forwarder-down'],
  ['answers over UDP alone', { udp: 'answers' }, 'forwarder-half'],
  ['answers over TCP alone', { tcp: 'answers' }, 'forwarder-half'],
  ['sends cut answers, and none over TCP', { udp: 'cut' }, 'forwarder-down'],
  ['is slow', 'slow', 'forwarder-slow'],
  ['answers something else', 'wrong', 'forwarder-wrong-answer'],
  ['answers something else over UDP', { udp: 'wrong', tcp: 'answers' }, 'forwarder-wrong-answer'],
] as const)('one server that %s is told of, and left alone', async (_, behaviour, code) => {
  const changes: Changes = { network: { ...good, '1.1.1.1': behaviour, '9.9.9.9': 'answers' } };
  expect(await told(changes)).toEqual([`warning ${code}: zone . 1.1.1.1`]);
});

test('answers that UDP cuts short come over TCP', async () => {
  expect(await told({ network: { '8.8.8.8': 'cut', '1.1.1.1': 'cut' } })).toEqual([]);
});

test('each server is told of by itself, whatever their number', async () => {
  expect(await told({ corefile: three, network: { '10.0.0.2': 'answers' } })).toEqual([
    'warning forwarder-down: zone . 10.0.0.1',
    'warning forwarder-down: zone . 10.0.0.3',
  ]);
});

test('a server that says no makes a part of all questions fail', async () => {
  const network = { '10.0.0.1': 'refused', '10.0.0.2': 'answers', '10.0.0.3': 'answers' } as const;
  const { findings } = await diagnose({ corefile: three, network });
  expect(findings[0]?.message).toBe(
    '10.0.0.1 (Corefile, line 15) refuses to answer, which CoreDNS hands on: about one question in 3 fails',
  );
});

test('a zone of its own is judged by itself, and never repaired', async () => {
  const corefile = oldCorefile('forward example.org 10.0.0.7\n    forward . 8.8.8.8');
  const { findings } = await diagnose({ corefile, network: good });
  expect(findings).toMatchObject([
    {
      code: 'forwarders-dead',
      subject: 'zone example.org',
      severity: 'error',
      message: 'pods resolve no name of example.org: 10.0.0.7 (Corefile, line 15) does not answer',
      remedy: { kind: 'none' },
    },
  ]);
  expect(await told({ corefile, network: { ...good, '10.0.0.7': 'answers' } })).toEqual([]);
});

test('with force_tcp it is TCP that counts', async () => {
  const corefile = oldCorefile('forward . 10.0.0.1 {\n      force_tcp\n    }');
  expect(await told({ corefile, network: { '10.0.0.1': { tcp: 'answers' } } })).toEqual([
    'warning forwarder-half: zone . 10.0.0.1',
  ]);
  const [finding] = (await diagnose({ corefile, network: { '10.0.0.1': { udp: 'answers' } } })).findings;
  expect(finding?.code).toBe('forwarders-dead');
});

test('over TLS a server is asked over TLS alone', async () => {
  const corefile = newCorefile('forward . tls://9.9.9.9 {\n      tls_servername dns.quad9.net\n    }');
  expect(await told({ corefile, network: { '9.9.9.9': { tls: 'answers' } } })).toEqual([]);
});

test('what CoreDNS gets counts, and not what this host gets', async () => {
  const silentHost = { podNetwork: good, network: {} };
  expect(await told(silentHost)).toEqual([]);
  const [finding] = (await diagnose({ podNetwork: {}, network: good })).findings;
  expect(finding).toMatchObject({ code: 'forwarders-dead', subject: 'zone .' });
  expect(finding?.message).toContain('they answer this host, and not pod coredns-6799fbcd5-x7k2p');
});

test('a forward in coredns-custom that comes too late is told of; one that is asked is not', async () => {
  const custom = { 'a.override': 'forward . 10.0.0.9\n' };
  const network = { ...good, '10.0.0.9': 'answers' } as const;
  expect(await told({ custom, network })).toEqual(['warning override-shadowed: coredns-custom a.override .']);
  expect(await told({ custom, network, corefile: newCorefile('forward . 8.8.8.8') })).toEqual([]);
});

test('CoreDNS that does not resolve though its servers answer is told of', async () => {
  const world = { '10.42.0.5': 'servfail' } as const;
  expect(await told({ network: good, world })).toEqual(['error world-unresolved: zone .']);
  const pods = [{}, { name: 'coredns-other', address: '10.42.0.6' }];
  expect(await told({ network: good, pods, world: { ...world, '10.42.0.6': 'answers' } })).toEqual([
    'warning world-unresolved: zone .',
  ]);
  expect(await told({ network: good, world: { '10.42.0.5': 'answers' } })).toEqual([]);
  // It asks one of its servers at random: it may have been the bad one three times.
  const [bad] = Object.keys(good);
  const half = { ...good, [bad ?? '']: 'refused' } as const;
  expect(await told({ network: half, world })).toContain('warning world-unresolved: zone .');
});
