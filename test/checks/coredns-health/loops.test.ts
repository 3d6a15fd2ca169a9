import { expect, test } from 'vitest';
import { codesOf, corefileWith, crashing, diagnose, pod } from './cluster.ts';

// As CoreDNS 1.12.3 says it.
const loopLog = `.:53
[INFO] plugin/reload: Running configuration SHA512 = f268af
CoreDNS-1.12.3
[FATAL] plugin/loop: Loop (127.0.0.1:44554 -> :53) detected for zone ".", see https://coredns.io/plugins/loop#troubleshooting. Query: "HINFO 2107544276308725492.4286067236585733717."
`;

test('CoreDNS has halted over a loop: its own words, and the server that leads back to it', async () => {
  const { findings } = await diagnose({ pods: [crashing], log: loopLog, forward: 'forward . 127.0.0.53' });
  expect(findings.find(({ code }) => code === 'coredns-loop')).toMatchObject({
    severity: 'error',
    subject: 'zone .',
    message:
      'CoreDNS forwards what it does not know to itself: 127.0.0.53 (Corefile, line 20) · its plugin loop halts it, and it starts over and over',
    effect: 'loses',
    evidence: [
      {
        source: `log of pod ${pod.name}`,
        observed: expect.stringMatching(/^Loop \(127\.0\.0\.1:44554 -> :53\)/),
      },
      { observed: 'forwards . to 127.0.0.53, which is the pod of CoreDNS itself' },
    ],
  });
});

test('by the API’s last message where the log cannot be read', async () => {
  const message = '[FATAL] plugin/loop: Loop (127.0.0.1:1 -> :53) detected for zone "example.org.", see';
  const lastTermination = { reason: 'Error', exitCode: 1, message, at: undefined };
  const { findings } = await diagnose({ pods: [{ ...crashing, lastTermination }] });
  expect(findings.find(({ code }) => code === 'coredns-loop')).toMatchObject({ subject: 'zone example.org' });
});

const justNow = {
  restarts: 3,
  lastTermination: { reason: 'Error', exitCode: 1, message: undefined, at: new Date('2026-03-28T01:55:00Z') },
};

test('it is ready for some seconds before it halts again', async () => {
  const loop = { now: '2026-03-28T02:00:00Z', log: loopLog, pods: [justNow] };
  const { findings } = await diagnose({ ...loop, forward: 'forward . 127.0.0.53' });
  expect(findings.find(({ code }) => code === 'coredns-loop')).toMatchObject({ effect: 'loses' });
  // Whom it asks is said in a file that only another node has.
  const hidden = await diagnose({ ...loop, forward: 'forward . /etc/resolv.conf' });
  expect(hidden.findings.find(({ code }) => code === 'coredns-loop')).toMatchObject({ subject: 'zone .' });
});

test('a loop that has been taken out since is none', async () => {
  expect(await codesOf({ now: '2026-03-28T02:00:00Z', log: loopLog, pods: [justNow] })).toEqual([
    'warning coredns-restarts',
  ]);
});

test.each([
  ['loopback', 'forward . 127.0.0.1'],
  ['IPv6 loopback', 'forward . ::1'],
  ['the Service', 'forward . 10.43.0.10'],
  ['the pod itself', 'forward . 192.0.2.1 10.42.0.5'],
])('a loop that is configured: %s', async (_, forward) => {
  const { findings } = await diagnose({ forward });
  expect(findings).toMatchObject([
    { code: 'coredns-loop', severity: 'error', subject: 'zone .', effect: 'dormant' },
  ]);
  expect(findings[0]?.message).toContain('its plugin loop halts it when it starts with this');
});

test('the stub resolver of the host, by way of the pod’s resolv.conf', async () => {
  const { findings } = await diagnose({ forward: 'forward . /etc/resolv.conf', podServers: ['127.0.0.53'] });
  expect(findings).toMatchObject([{ code: 'coredns-loop' }]);
  expect(findings[0]?.message).toContain(`127.0.0.53 (/etc/resolv.conf of pod ${pod.name})`);
  expect(await codesOf({ forward: 'forward . /etc/resolv.conf', podServers: ['192.0.2.1'] })).toEqual([]);
});

test('without the plugin nothing halts it: the questions go round', async () => {
  const corefile = corefileWith('forward . 127.0.0.1').replace('    loop\n', '');
  const { findings } = await diagnose({ corefile });
  expect(findings).toMatchObject([{ code: 'coredns-loop', effect: 'loses' }]);
  expect(findings[0]?.message).toContain('each question goes round until it is given up');
});

test('a zone of its own', async () => {
  const custom = { 'a.server': 'example.org:53 {\n  forward . 10.43.0.10\n}\n' };
  const { findings } = await diagnose({ custom });
  expect(findings).toMatchObject([{ code: 'coredns-loop', subject: 'zone example.org' }]);
});

test.each([
  ['another server', { forward: 'forward . 192.0.2.1' }],
  ['another port of the pod', { forward: 'forward . 127.0.0.1:5353' }],
  [
    'loopback of a node, where CoreDNS runs in its network',
    { forward: 'forward . 127.0.0.53', pods: [{ address: '203.0.113.10' }] },
  ],
  ['a forward that is never asked', { forward: 'forward . 192.0.2.1\n    forward . 127.0.0.1' }],
  [
    'a block that listens at one address',
    { custom: { 'a.server': 'example.org {\n  bind 10.42.0.5\n  forward . 127.0.0.1\n}\n' } },
  ],
])('no loop: %s', async (_, changes) => {
  expect(await codesOf(changes)).toEqual([]);
});
