import { describe, expect, test } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import { natOrderFact } from '../../src/facts/nat-order.ts';
import type { RecordingInput } from '../../src/host/recording-format.ts';
import { type Edits, without } from './edited-recording.ts';
import { gather } from './observed-host.ts';

const both = 'kube-proxy-legacy-then-nft';
const hostPort = 'hostport-ghost-legacy-first/2-ghost';

type Connect = NonNullable<RecordingInput['connects']>[number];

/** One connection from port 40001 and what conntrack prints of it. */
function answered(connect: Connect, conntrack: string): Edits {
  return {
    texts: { 'probe.txt': () => `${conntrack}\n` },
    add: { connects: [connect], commands: [{ tool: 'conntrack', stdout: 'probe.txt' }] },
  };
}

function record(asked: string, port: number, by: string, byPort: number): string {
  return `tcp 6 119 TIME_WAIT src=10.0.0.1 dst=${asked} sport=40001 dport=${port} src=${by} dst=10.0.0.1 sport=${byPort} dport=40001 use=1`;
}

const connected: Connect = { address: '10.43.0.10', port: 53, result: 'connected', localPort: 40001 };

test.each([
  ['legacy', '10.42.0.8'],
  ['nft', '10.42.0.10'],
] as const)('%s comes first when the kernel sent the probe to %s', async (first, target) => {
  const edits = answered(connected, record('10.43.0.10', 53, target, 53));
  const { value, asked } = await gather(natOrderFact, both, { edits });
  expect(value.ipv4).toEqual({
    kind: 'known',
    first,
    evidence: `a probe to 10.43.0.10 port 53 was sent to ${target} 53 by ${first}`,
  });
  expect(value.ipv6).toEqual({ kind: 'not-needed' });
  expect(asked.filter((question) => /connect|conntrack/.test(question))).toEqual([
    'connect 10.43.0.10 53',
    'conntrack -L -f ipv4 -p tcp -d 10.43.0.10 --orig-port-src 40001',
  ]);
});

test('a probe that nobody answered tells as much, for the kernel keeps a record of it', async () => {
  const unanswered: Connect = { ...connected, result: 'no-answer' };
  const edits = answered(
    unanswered,
    record('10.43.0.10', 53, '10.42.0.8', 53).replace('TIME_WAIT', 'SYN_SENT'),
  );
  expect((await gather(natOrderFact, both, { edits })).value.ipv4).toMatchObject({
    kind: 'known',
    first: 'legacy',
  });
});

describe('it is unknown, and why, when', () => {
  test.each([
    [
      'no connection can be begun',
      answered({ address: '10.43.0.10', port: 53, result: 'refused' }, ''),
      'no connection to 10.43.0.10 could be begun',
    ],
    [
      'the probe is not tried',
      { add: { connects: [{ address: '10.43.0.10', port: 53, notTried: 'not allowed' }] } },
      'not probed: not allowed',
    ],
    ['there is no conntrack', { add: { connects: [connected] } }, 'conntrack could not be asked'],
    [
      'the kernel kept no record',
      answered(connected, ''),
      'the kernel kept no record of the probe to 10.43.0.10 port 53',
    ],
    [
      'the record is of another connection',
      answered(connected, record('10.43.0.10', 53, '10.42.0.8', 53).replaceAll('40001', '40002')),
      'the kernel kept no record',
    ],
    [
      'it went where neither table sends it',
      answered(connected, record('10.43.0.10', 53, '192.0.2.1', 53)),
      'went to 192.0.2.1 53, in neither table',
    ],
  ])('%s', async (_when, edits, reason) => {
    const { value } = await gather(natOrderFact, both, { edits });
    expect(value.ipv4).toMatchObject({ kind: 'unknown', reason: expect.stringContaining(reason) });
  });

  test('this node has no address to ask a host port at', async () => {
    const { value } = await gather(natOrderFact, hostPort);
    expect(value.ipv4).toEqual({ kind: 'unknown', reason: 'this node has no ipv4 address to probe at' });
  });
});

test('nothing is probed when probing is switched off', async () => {
  const config = {
    ...defaultConfig(),
    checks: { ...defaultConfig().checks, 'iptables-ghosts': { mode: 'fix' as const, probe: false } },
  };
  const { value, asked } = await gather(natOrderFact, both, { config });
  expect(value.ipv4.kind).toBe('unknown');
  expect(asked.filter((question) => question.startsWith('connect'))).toEqual([]);
});

describe('nothing is probed when', () => {
  test.each([
    ['only one backend claims anything', without(/^(\[\S+ )?-A KUBE-(SERVICES|NODEPORTS)/)],
    ['both send everything to the same places', without(/default\/(web|sticky)|kube-system\/dns/)],
    ['only UDP is sent to other places', without(/default\/(web|sticky)|dns-tcp/)],
  ])('%s', async (_when, edit) => {
    const texts = { 'iptables-legacy-save.txt': edit };
    const { value, asked } = await gather(natOrderFact, both, { edits: { texts } });
    expect(value.ipv4).toEqual({ kind: 'not-needed' });
    expect(asked.filter((question) => question.startsWith('connect'))).toEqual([]);
  });
});

test('a host port is asked at the first address of this node', async () => {
  const edits = answered(
    { address: '192.168.60.1', port: 80, result: 'connected', localPort: 40001 },
    record('192.168.60.1', 80, '10.42.1.3', 8080),
  );
  const commands = [
    { tool: 'iptables-legacy-save' as const, stdout: 'legacy-save.txt' },
    { tool: 'iptables-nft-save' as const, stdout: 'nft-save.txt' },
  ];
  const host = { localAddresses: { ipv4: ['192.168.60.1', '10.0.0.1'] }, commands };
  const { value } = await gather(natOrderFact, hostPort, { edits: { ...edits, host } });
  expect(value.ipv4).toMatchObject({ kind: 'known', first: 'nft' });
});

// The address of the rule that only counts loopback, 127.0.0.0, is taken for one to ask.
test('a node port is asked at an address of this node', async () => {
  const onlyNodePorts = (text: string) =>
    without(/-A KUBE-SERVICES -d/)(text).replaceAll('10.42.0.20:8081', '10.42.0.99:8081');
  const texts = {
    'iptables-legacy-save.txt': onlyNodePorts,
    'iptables-nft-save.txt': without(/-A KUBE-SERVICES -d/),
  };
  const host = { localAddresses: { ipv4: ['192.168.50.10'] } };
  const { asked } = await gather(natOrderFact, 'kube-proxy-1.36-nft-without-comments', {
    edits: { texts, host },
  });
  expect(asked.filter((question) => question.startsWith('connect'))).toEqual([
    expect.stringMatching(/^connect 192\.168\.50\.10 3/),
  ]);
});
