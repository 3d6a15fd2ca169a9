import { expect, test } from 'vitest';
import { type Behaviour, type Changes, diagnose, oldCorefile } from './cluster.ts';

const provider = { '185.12.64.1': 'answers', '185.12.64.2': 'answers' } as const;
const blocked = 'port 53 is blocked outwards: none of 8 public resolvers answers, 185.12.64.1 does';

const publics = (behaviour: Behaviour) =>
  Object.fromEntries(
    [
      '8.8.8.8',
      '8.8.4.4',
      '1.1.1.1',
      '1.0.0.1',
      '9.9.9.9',
      '149.112.112.112',
      '208.67.222.222',
      '208.67.220.220',
    ].map((server) => [server, behaviour]),
  );

const message = async (changes: Changes) => (await diagnose(changes)).findings[0]?.message;

test.each([
  ['silent', 'do not answer'],
  ['rejected', 'are rejected'],
] as const)(
  'all public resolvers %s while the provider’s answers: port 53 is blocked',
  async (behaviour, words) => {
    expect(await message({ network: { ...publics(behaviour), ...provider } })).toBe(
      `pods resolve no name outside the cluster: 8.8.8.8 and 1.1.1.1 (Corefile, line 15) ${words} · ${blocked}`,
    );
  },
);

test('UDP alone may be blocked: pods resolve nothing all the same', async () => {
  expect(await message({ network: { ...publics({ tcp: 'answers' }), ...provider } })).toBe(
    'pods resolve no name outside the cluster: 8.8.8.8 and 1.1.1.1 (Corefile, line 15) answer over TCP alone, and pods ask over UDP · port 53 is blocked outwards: none of 8 public resolvers answers over UDP, 185.12.64.1 does',
  );
});

test('TCP alone may be blocked, which is found only while others answer over it', async () => {
  const corefile = oldCorefile('forward . 8.8.8.8 10.0.0.1');
  const network = { ...publics({ udp: 'answers' }), '10.0.0.1': 'answers' } as const;
  expect(await message({ corefile, network })).toBe(
    '8.8.8.8 (Corefile, line 15) answers over UDP alone: long answers (many addresses, TXT, DNSSEC) get lost · port 53 is blocked outwards: none of 8 public resolvers answers over TCP, 10.0.0.1 does',
  );
});

test('one public resolver that is down says nothing of the others', async () => {
  const network = { ...publics('answers'), '1.1.1.1': 'silent' } as const;
  expect(await message({ network })).toBe(
    '1.1.1.1 (Corefile, line 15) does not answer: only one other is left',
  );
  const dead = { ...publics('answers'), ...provider, '1.1.1.1': 'silent', '8.8.8.8': 'silent' } as const;
  expect(await message({ network: dead })).not.toContain('blocked');
});

test('two that are silent prove nothing', async () => {
  const few: Changes = { network: { '10.0.0.1': 'answers' }, hostServers: ['10.0.0.1'], hostFamilies: [] };
  expect(await message(few)).toBe(
    'pods resolve no name outside the cluster: 8.8.8.8 and 1.1.1.1 (Corefile, line 15) do not answer',
  );
});

test('a resolver that is not public is not silent because public ones are', async () => {
  const corefile = oldCorefile('forward . 10.0.0.1');
  const words = await message({ corefile, network: { ...provider } });
  expect(words).toBe(
    'pods resolve no name outside the cluster: 10.0.0.1 (Corefile, line 15) does not answer',
  );
});

test('nobody at all answers: the network is away, and nothing is called blocked', async () => {
  const words = await message({ hostServers: ['10.0.0.1'] });
  expect(words).toContain('nobody does, of 18 that were asked: the network is away');
  expect(words).not.toContain('blocked');
});

test('this machine’s own firewall is called by its name', async () => {
  const words = await message({ network: { ...publics({ udp: 'forbidden' }), ...provider } });
  expect(words).toContain("this machine's own firewall drops the questions");
  expect(words).not.toContain('blocked');
});

test('resolvers that say no are heard', async () => {
  const words = await message({ network: { ...publics('refused'), ...provider } });
  expect(words).toContain('refuse to answer');
  expect(words).not.toContain('blocked');
});

test('one family may be blocked, and the other one not', async () => {
  const ipv6 = [
    '2001:4860:4860::8888',
    '2001:4860:4860::8844',
    '2606:4700:4700::1111',
    '2606:4700:4700::1001',
  ];
  const more = ['2620:fe::fe', '2620:fe::9', '2620:119:35::35', '2620:119:53::53'];
  const network = {
    ...provider,
    ...Object.fromEntries([...ipv6, ...more].map((each) => [each, 'answers' as const])),
  };
  const words = await message({ network, hostFamilies: ['ipv4', 'ipv6'] });
  expect(words).toContain('none of 8 public resolvers answers in IPv4, 185.12.64.1 does');
});
