/** What the kernel makes of a firewall or a route that is in the way of a DNS question. */
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import type { DnsAnswer, DnsQuestion } from '../../../src/host/host.ts';
import { type LabNode, startNode } from '../node/start-node.ts';

const doctor = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
// Another address than the question comes from: what is sent back is not to meet the rule, too.
const server = '127.0.0.9';
const server6 = 'fd00:99::53';

let node: LabNode;

beforeAll(async () => {
  node = await startNode();
  await node.run(['ip', 'addr', 'add', `${server6}/128`, 'dev', 'lo']);
  return () => node[Symbol.asyncDispose]();
});

/** Over UDP and TCP. */
async function ask(to: string): Promise<readonly [DnsAnswer, DnsAnswer]> {
  const question = { server: to, name: 'www.example.org', type: 'A', timeoutMs: 700 } as const;
  const questions: DnsQuestion[] = [
    { ...question, protocol: 'udp' },
    { ...question, protocol: 'tcp' },
  ];
  const answers = await node.run([process.execPath, doctor, 'ask-dns'], { input: JSON.stringify(questions) });
  return JSON.parse(answers);
}

const silence = { kind: 'timed-out', timeoutMs: 700 };
const blocked = (code: string) => ({ kind: 'blocked', reason: expect.stringContaining(`(${code})`) });

it.each([
  ['nobody listens', [], blocked('ECONNREFUSED'), blocked('ECONNREFUSED')],
  ['a drop on the way in', ['INPUT', '-j', 'DROP'], silence, silence],
  ["a drop in this machine's own OUTPUT", ['OUTPUT', '-j', 'DROP'], blocked('EPERM'), silence],
  ['a reject there', ['OUTPUT', '-j', 'REJECT'], blocked('EPERM'), blocked('ECONNREFUSED')],
  [
    'a reject as of firewalld',
    ['INPUT', '-j', 'REJECT', '--reject-with', 'icmp-admin-prohibited'],
    blocked('EHOSTUNREACH'),
    blocked('EHOSTUNREACH'),
  ],
  // For UDP the kernel takes it for a passing trouble, and tells nobody.
  [
    'a router that knows no way',
    ['INPUT', '-j', 'REJECT', '--reject-with', 'icmp-host-unreachable'],
    silence,
    blocked('EHOSTUNREACH'),
  ],
  [
    'a protocol that is not spoken',
    ['INPUT', '-j', 'REJECT', '--reject-with', 'icmp-proto-unreachable'],
    blocked('ENOPROTOOPT'),
    blocked('ENOPROTOOPT'),
  ],
  [
    'a reset',
    ['INPUT', '-p', 'tcp', '-j', 'REJECT', '--reject-with', 'tcp-reset'],
    blocked('ECONNREFUSED'),
    blocked('ECONNREFUSED'),
  ],
] as const)('%s', async (_, [chain, ...rule], udp, tcp) => {
  if (chain !== undefined) await node.run(['iptables-legacy', '-A', chain, '-d', server, ...rule]);
  try {
    expect(await ask(server)).toEqual([udp, tcp]);
  } finally {
    if (chain !== undefined) await node.run(['iptables-legacy', '-D', chain, '-d', server, ...rule]);
  }
});

it('over IPv6 it is the same', async () => {
  const rule = ['OUTPUT', '-d', server6, '-j', 'DROP'];
  expect(await ask(server6)).toEqual([blocked('ECONNREFUSED'), blocked('ECONNREFUSED')]);
  await node.run(['ip6tables-legacy', '-A', ...rule]);
  expect(await ask(server6)).toEqual([blocked('EPERM'), silence]);
});

it.each([
  ['unreachable', 'EHOSTUNREACH'],
  ['prohibit', 'EACCES'],
  ['blackhole', 'EINVAL'],
])('a route of type %s', async (type, code) => {
  await node.run(['ip', 'route', 'add', type, '192.0.2.53']);
  expect(await ask('192.0.2.53')).toEqual([blocked(code), blocked(code)]);
  await node.run(['ip', 'route', 'del', type, '192.0.2.53']);
});

it('no route at all', async () => {
  await node.run(['ip', 'route', 'del', 'default']);
  expect(await ask('198.51.100.53')).toEqual([blocked('ENETUNREACH'), blocked('ENETUNREACH')]);
});
