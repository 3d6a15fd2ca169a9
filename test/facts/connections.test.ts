import { describe, expect, test } from 'vitest';
import { connectionsFact } from '../../src/facts/connections.ts';
import type { RecordingInput } from '../../src/host/recording-format.ts';
import type { Edits } from './edited-recording.ts';
import { gather } from './observed-host.ts';

const both = 'kube-proxy-legacy-then-nft';
const hostPort = 'hostport-ghost-legacy-first/2-ghost';
const days = { path: '/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established', text: '86400\n' };

/** The kernel knows these connections. */
function knows(lines: readonly string[]): Edits {
  return {
    texts: { 'connections.txt': () => lines.map((line) => `${line}\n`).join('') },
    add: { commands: [{ tool: 'conntrack', stdout: 'connections.txt' }], files: [days] },
  };
}

async function answeredOf(lines: readonly string[]): Promise<readonly string[]> {
  const { value } = await gather(connectionsFact, both, { edits: knows(lines) });
  return value.kind === 'known' ? [...value.answered] : [value.kind];
}

async function askedOf(fixture: string, edits: Edits = {}): Promise<readonly string[]> {
  const { asked } = await gather(connectionsFact, fixture, { edits });
  return asked.filter((question) => question.startsWith('conntrack'));
}

const tuples =
  'src=10.0.0.9 dst=10.43.0.80 sport=46722 dport=80 src=10.42.0.5 dst=10.0.0.9 sport=8080 dport=46722';
const keys = ['tcp 10.43.0.80 80 10.42.0.5 8080', 'tcp * 80 10.42.0.5 8080'];

describe('a translated connection counts as answered when', () => {
  test.each([
    ['packets were heard lately', `tcp      6 86101 ESTABLISHED ${tuples} [ASSURED] mark=0 use=1`],
    ['it ended just now', `tcp      6 3 TIME_WAIT ${tuples} [ASSURED] mark=0 use=1`],
    ['the network card has taken it over', `tcp      6 ${tuples} [OFFLOAD] mark=0 use=1`],
  ])('%s', async (_when, line) => {
    expect(await answeredOf([line])).toEqual(keys);
  });

  test('a hundred clients have it, once', async () => {
    const lines = Array.from(
      { length: 100 },
      (_, i) => `udp 17 29 ${tuples.replaceAll('46722', String(50_000 + i))} mark=0 use=1`,
    );
    expect(await answeredOf(lines)).toEqual(keys.map((key) => key.replace('tcp', 'udp')));
  });
});

describe('it does not when', () => {
  test.each([
    [
      'nothing ever came back',
      `tcp      6 117 SYN_SENT ${tuples.replace(' src=10.42', ' [UNREPLIED] src=10.42')} mark=0 use=1`,
    ],
    ['nothing was heard of it lately', `tcp      6 86100 ESTABLISHED ${tuples} [ASSURED] mark=0 use=1`],
    ['only the client still sends', `tcp      6 299 ESTABLISHED ${tuples} [ASSURED] mark=0 use=1`],
    [
      'it was not translated',
      `tcp      6 86399 ESTABLISHED ${tuples.replace('dst=10.43.0.80', 'dst=10.42.0.5')} [ASSURED] mark=0 use=1`,
    ],
  ])('%s', async (_when, line) => {
    expect(await answeredOf([line])).toEqual([]);
  });
});

test('all established connections count where the kernel does not say how long it remembers them', async () => {
  const edits = knows([`tcp      6 20 ESTABLISHED ${tuples} [ASSURED] mark=0 use=1`]);
  const { value } = await gather(connectionsFact, both, {
    edits: { ...edits, add: { ...edits.add, files: [] } },
  });
  expect(value).toEqual({ kind: 'known', answered: new Set(keys) });
});

describe('the kernel is asked', () => {
  test('about the families with something in doubt, once', async () => {
    expect(await askedOf(both, knows([]))).toEqual(['conntrack -L -f ipv4']);
    expect(await askedOf(hostPort)).toEqual(['conntrack -L -f ipv4']);
    expect(await askedOf('kube-proxy-1.22-legacy-then-1.34-nft', knows([]))).toEqual([
      'conntrack -L -f ipv4',
      'conntrack -L -f ipv6',
    ]);
  });

  test('by no means on a healthy node: it may know 100,000 connections', async () => {
    expect(await askedOf('hostport-ghost-legacy-first/1-old-alive')).toEqual([]);
    expect(await askedOf('hostport-ghost-legacy-first/3-healed')).toEqual([]);
    const { value } = await gather(connectionsFact, 'hostport-ghost-legacy-first/3-healed');
    expect(value).toEqual({ kind: 'not-needed' });
    const files = ['/proc/net/ip_tables_names', '/proc/net/ip6_tables_names'];
    expect(await askedOf(both, { host: { files: files.map((path) => ({ path, text: '' })) } })).toEqual([]);
  });

  test('nor for the host ports of another network', async () => {
    const podman = (text: string) =>
      text
        .replace('name: \\"cbr0\\" id: \\"aaaa1111', 'name: \\"podman\\" id: \\"aaaa1111')
        .replaceAll('CNI-DN-ee38aa4d9699bb275365c', 'CNI-DN-4487c7875eecbf40d1796');
    expect(await askedOf(hostPort, { texts: { 'legacy-save.txt': podman } })).toEqual([]);
  });

  test('nor where the answer is of no use: the runtime does not say which sandboxes live', async () => {
    expect(await askedOf(hostPort, { texts: { 'crictl-pods.json': () => 'what?' } })).toEqual([]);
  });

  test('nor where asking would load a module', async () => {
    const files = [
      { path: '/proc/net/ip_tables_names', text: 'nat\n' },
      { path: '/proc/modules', text: 'nf_tables 1 0 - Live 0x0\nnf_conntrack 1 0 - Live 0x0\n' },
      { path: '/proc/sys/kernel/osrelease', text: '6.1.0\n' },
      { path: '/lib/modules/6.1.0/modules.builtin', text: 'kernel/net/ipv4/foo.ko\n' },
    ];
    const { value, asked } = await gather(connectionsFact, hostPort, { edits: { host: { files } } });
    expect(value).toEqual({ kind: 'unavailable', reason: 'nf_conntrack_netlink is not loaded' });
    expect(asked.filter((question) => question.startsWith('conntrack'))).toEqual([]);
  });
});

test.each<[string, NonNullable<RecordingInput['commands']>[number], string]>([
  ['is not there', { tool: 'conntrack', absent: true }, 'there is no conntrack (looked for the recording)'],
  ['hangs', { tool: 'conntrack', timeout: true }, 'conntrack did not end within 10 s'],
  ['cannot be started', { tool: 'conntrack', failedToStart: 'EACCES' }, 'conntrack could not be run: EACCES'],
  [
    'fails',
    { tool: 'conntrack', exitCode: 1, stderr: 'conntrack v1.4.7: Operation failed: sorry\n' },
    'conntrack failed with exit code 1: conntrack v1.4.7: Operation failed: sorry',
  ],
])('no failure, but said: conntrack %s', async (_what, command, reason) => {
  const { value } = await gather(connectionsFact, both, { edits: { add: { commands: [command] } } });
  expect(value).toEqual({ kind: 'unavailable', reason });
});
