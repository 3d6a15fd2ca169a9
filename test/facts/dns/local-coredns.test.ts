import { expect, test } from 'vitest';
import { coreDnsFact } from '../../../src/facts/dns/coredns.ts';
import { localCoreDnsFact } from '../../../src/facts/dns/local-coredns.ts';
import { dnsNode } from './dns-node.ts';

const trie = 'Main:\n     |-- 203.0.113.10\n        /32 host LOCAL\n';
/** As /proc/net/if_inet6 has it. */
const inet6 = (address: string) => `${address} 02 40 00 80     eth0\n`;

test.each([
  ['fd000042000000000000000000000005', true],
  ['fd000042000000000000000000000055', false],
])('a pod whose address is IPv6, in a network with %s: %s', async (own, isIts) => {
  const files = [
    { path: '/proc/self/net/fib_trie', text: trie },
    { path: '/proc/4711/net/fib_trie', text: 'Main:\n' },
    { path: '/proc/4711/net/if_inet6', text: inet6(own) },
  ];
  const { context } = await dnsNode({
    edits: {
      texts: { 'pods.json': (text) => text.replaceAll('"10.42.1.5"', '"fd00:42::5"') },
      add: { processes: [{ pid: 4711, name: 'coredns' }], files },
    },
  });
  const { pods } = await context.get(coreDnsFact);
  expect(pods).toMatchObject({ kind: 'known', value: [{ address: 'fd00:42::5' }] });
  const { processes } = await context.get(localCoreDnsFact);
  expect(processes.map(({ pid }) => pid)).toEqual(isIts ? [4711] : []);
});
