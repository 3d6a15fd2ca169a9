import { describe, expect, test } from 'vitest';
import type { Ufw, UfwRule } from '../../src/facts/ufw.ts';
import { ufwFact } from '../../src/facts/ufw.ts';
import type { RecordingInput } from '../../src/host/recording-format.ts';
import { gather } from './observed-host.ts';

const conf = '# /etc/ufw/ufw.conf\n#\n\nENABLED=yes\nLOGLEVEL=low\n';
const defaults = `IPV6=yes
DEFAULT_INPUT_POLICY="DROP"
DEFAULT_OUTPUT_POLICY="ACCEPT"
DEFAULT_FORWARD_POLICY="REJECT"
DEFAULT_APPLICATION_POLICY="SKIP"
MANAGE_BUILTINS=no
IPT_MODULES=""
`;

interface Files {
  readonly conf?: string;
  readonly defaults?: string;
  readonly rules?: string;
  readonly rules6?: string;
  /** In place of the one of that path. */
  readonly other?: NonNullable<RecordingInput['files']>[number];
}

async function ufwOf(given: Files): Promise<Ufw> {
  const texts = [
    { path: '/etc/ufw/ufw.conf', text: given.conf ?? conf },
    { path: '/etc/default/ufw', text: given.defaults ?? defaults },
    { path: '/etc/ufw/user.rules', text: given.rules ?? '*filter\nCOMMIT\n' },
    { path: '/etc/ufw/user6.rules', text: given.rules6 ?? '*filter\nCOMMIT\n' },
  ];
  const { other } = given;
  const files = other ? [...texts.filter(({ path }) => path !== other.path), other] : texts;
  const { value, asked } = await gather(ufwFact, 'kube-proxy-legacy-then-nft', {
    edits: { host: { files } },
  });
  expect(asked).toEqual([]);
  return value;
}

async function ruleOf(tuple: string): Promise<UfwRule | string | undefined> {
  const ufw = await ufwOf({ rules: `*filter\n### RULES ###\n\n### tuple ### ${tuple}\n-A x\nCOMMIT\n` });
  if (ufw.kind === 'unavailable') return ufw.reason;
  return ufw.kind === 'active' ? ufw.rules[0] : ufw.kind;
}

const anywhere: UfwRule = {
  family: 'ipv4',
  route: false,
  action: 'allow',
  direction: 'in',
  protocol: 'any',
  destinationPort: 'any',
  destination: '0.0.0.0/0',
  sourcePort: 'any',
  source: '0.0.0.0/0',
  inLink: undefined,
  outLink: undefined,
  comment: '',
};

describe('a rule as ufw 0.36 writes it', () => {
  test.each<[string, Partial<UfwRule>]>([
    ['deny any any 0.0.0.0/0 any 198.51.100.7 in', { action: 'deny', source: '198.51.100.7' }],
    [
      'allow udp 8472 0.0.0.0/0 any 10.0.0.2 in comment=6b33732d646f63746f72e29da42078',
      { protocol: 'udp', destinationPort: '8472', source: '10.0.0.2', comment: 'k3s-doctor❤ x' },
    ],
    ['limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in', { action: 'limit', protocol: 'tcp', destinationPort: '22' }],
    [
      'allow tcp 80,443,8000:8010 0.0.0.0/0 any 0.0.0.0/0 in_eth0',
      { protocol: 'tcp', destinationPort: '80,443,8000:8010', inLink: 'eth0' },
    ],
    [
      'allow udp 53 192.0.2.1 5000 10.0.0.0/8 out_eth1',
      {
        direction: 'out',
        protocol: 'udp',
        destinationPort: '53',
        destination: '192.0.2.1',
        sourcePort: '5000',
        source: '10.0.0.0/8',
        outLink: 'eth1',
      },
    ],
    ['allow_log tcp 2222 0.0.0.0/0 any 0.0.0.0/0 in', { protocol: 'tcp', destinationPort: '2222' }],
    ['allow_log-all tcp 22 0.0.0.0/0 any 0.0.0.0/0 in', { protocol: 'tcp', destinationPort: '22' }],
    [
      'allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 Web%20App - in',
      { protocol: 'tcp', destinationPort: '80,443' },
    ],
    [
      'allow tcp any 0.0.0.0/0 80,443 10.1.1.2 - Web%20App in_veth_a comment=61',
      { protocol: 'tcp', sourcePort: '80,443', source: '10.1.1.2', inLink: 'veth_a', comment: 'a' },
    ],
    ['allow esp any 0.0.0.0/0 any 10.0.0.2 in', { protocol: 'esp', source: '10.0.0.2' }],
    ['route:allow any any 0.0.0.0/0 any 10.42.0.0/16 in', { route: true, source: '10.42.0.0/16' }],
    [
      'route:allow any any 0.0.0.0/0 any 0.0.0.0/0 in_cni0!out_flannel.1',
      { route: true, inLink: 'cni0', outLink: 'flannel.1' },
    ],
    [
      'route:reject_log any 53 8.8.8.8 any 0.0.0.0/0 out_eth0',
      {
        route: true,
        action: 'reject',
        direction: 'out',
        destinationPort: '53',
        destination: '8.8.8.8',
        outLink: 'eth0',
      },
    ],
    ['allow any any 0.0.0.0/0 any 10.0.0.1', { source: '10.0.0.1' }],
  ])('%s', async (tuple, expected) => {
    expect(await ruleOf(tuple)).toEqual({ ...anywhere, ...expected });
  });
});

describe('a line that UFW would not understand makes its rules unavailable', () => {
  test.each([
    ['allow tcp 22', 'expected 6 to 9 fields, found 3'],
    ['allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 a b c in', 'expected 6 to 9 fields, found 10'],
    ['permit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in', '"permit" is no action of UFW\'s'],
    ['allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 sideways', '"sideways" is no direction'],
    ['allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=6', 'the comment is not in hexadecimal'],
    ['allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=hello!', 'the comment is not in hexadecimal'],
  ])('%s', async (tuple, reason) => {
    expect(await ruleOf(tuple)).toBe(`/etc/ufw/user.rules line 4: ${reason}`);
  });
});

describe('UFW is', () => {
  test('active, with its policies and the rules of both families in order', async () => {
    const rules = '### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n';
    const rules6 = '### tuple ### allow tcp 22 ::/0 any fd00::2 in\n';
    expect(await ufwOf({ rules, rules6 })).toEqual({
      kind: 'active',
      defaults: { incoming: 'deny', outgoing: 'allow', routed: 'reject' },
      ipv6: true,
      rules: [
        { ...anywhere, protocol: 'tcp', destinationPort: '22' },
        {
          ...anywhere,
          family: 'ipv6',
          protocol: 'tcp',
          destinationPort: '22',
          destination: '::/0',
          source: 'fd00::2',
        },
      ],
    });
  });

  test('active without IPv6, whose rules are not read then', async () => {
    const rules6 = '### tuple ### what?\n';
    expect(await ufwOf({ defaults: defaults.replace('IPV6=yes', 'IPV6="no"'), rules6 })).toMatchObject({
      kind: 'active',
      ipv6: false,
      rules: [],
    });
  });

  test.each(['ENABLED=no\n', '#ENABLED=yes\n', '', 'ENABLED="maybe"\n'])('inactive with %j', async (text) => {
    expect(await ufwOf({ conf: text })).toEqual({ kind: 'inactive' });
  });

  test('absent without its configuration', async () => {
    const other = { path: '/etc/ufw/ufw.conf', absent: true } as const;
    expect(await ufwOf({ other })).toEqual({ kind: 'absent' });
  });

  test.each<[string, Files, string]>([
    [
      'with a policy that is none',
      { defaults: defaults.replace('"DROP"', '"MAYBE"') },
      '/etc/default/ufw: it lacks a policy of ACCEPT, DROP or REJECT',
    ],
    [
      'with a file that cannot be read',
      { other: { path: '/etc/ufw/user6.rules', unreadable: 'EACCES' } },
      '/etc/ufw/user6.rules: it cannot be read: EACCES',
    ],
    [
      'without its rules',
      { other: { path: '/etc/ufw/user.rules', absent: true } },
      '/etc/ufw/user.rules: it is not there',
    ],
    [
      'without its defaults',
      { other: { path: '/etc/default/ufw', absent: true } },
      '/etc/default/ufw: it is not there',
    ],
    [
      'without a right to look',
      { other: { path: '/etc/ufw/ufw.conf', unreadable: 'EACCES' } },
      '/etc/ufw/ufw.conf: it cannot be read: EACCES',
    ],
  ])('unavailable %s', async (_why, files, reason) => {
    expect(await ufwOf(files)).toEqual({ kind: 'unavailable', reason });
  });
});
