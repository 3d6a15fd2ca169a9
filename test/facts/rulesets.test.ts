import { describe, expect, test } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import { createFactContext, type Fact } from '../../src/engine/fact.ts';
import { iptablesFact } from '../../src/facts/iptables.ts';
import { rulesetsFact } from '../../src/facts/rulesets.ts';
import { tableReadingsFact, tableTitle } from '../../src/facts/table-readings.ts';
import { editedRecording } from './edited-recording.ts';
import { gather, observed } from './observed-host.ts';

const both = 'kube-proxy-legacy-then-nft';

test('each backend and family is dumped once, whole and with counters: naming a table would register it', async () => {
  const { asked } = await gather(rulesetsFact, both);
  expect([...asked].sort()).toEqual([
    'ip6tables-legacy-save -c',
    'ip6tables-nft-save -c',
    'iptables-legacy-save -c',
    'iptables-nft-save -c',
  ]);
});

test('all tables of all dumps are there', async () => {
  const { value } = await gather(tableReadingsFact, both);
  expect(value.map((table) => tableTitle(table))).toEqual([
    'iptables-legacy filter',
    'iptables-legacy mangle',
    'iptables-legacy nat',
    'ip6tables-legacy filter',
    'ip6tables-legacy mangle',
    'ip6tables-legacy nat',
    'iptables-nft mangle',
    'iptables-nft filter',
    'iptables-nft nat',
    'ip6tables-nft mangle',
    'ip6tables-nft filter',
    'ip6tables-nft nat',
  ]);
});

describe('the legacy programs are not run', () => {
  test.each([
    [
      'where the kernel has no legacy tables',
      { absent: true as const },
      'the kernel has no legacy backend loaded',
    ],
    ['where no legacy table is registered', { text: '' }, 'no legacy table is registered'],
  ])('%s', async (_where, file, reason) => {
    const files = [
      { path: '/proc/net/ip_tables_names', ...file },
      { path: '/proc/net/ip6_tables_names', ...file },
    ];
    const { value, asked } = await gather(rulesetsFact, both, { edits: { host: { files } } });
    expect(value.legacy.ipv4).toEqual({ kind: 'absent', reason });
    expect(value.legacy.ipv6).toEqual({ kind: 'absent', reason });
    expect(asked.filter((command) => command.includes('legacy'))).toEqual([]);
  });
});

test('nothing of nft is run where its module is not loaded', async () => {
  const files = [
    { path: '/proc/modules', text: 'ip_tables 1 0 - Live 0x0\n' },
    { path: '/proc/sys/kernel/osrelease', text: '6.1.0\n' },
    { path: '/lib/modules/6.1.0/modules.builtin', text: 'kernel/net/ipv4/netfilter/ip_tables.ko\n' },
  ];
  const { value, asked } = await gather(rulesetsFact, both, { edits: { add: { files } } });
  expect(value.nft.ipv4).toEqual({ kind: 'absent', reason: 'nf_tables is not loaded' });
  expect(asked.filter((command) => command.includes('nft'))).toEqual([]);
});

test('a machine without the nft programs has no nft backend', async () => {
  const commands = [
    { tool: 'iptables-legacy-save' as const, stdout: 'iptables-legacy-save.txt' },
    { tool: 'ip6tables-legacy-save' as const, stdout: 'ip6tables-legacy-save.txt' },
  ];
  const { value } = await gather(rulesetsFact, both, { edits: { host: { commands } } });
  expect(value.nft.ipv4).toMatchObject({
    kind: 'absent',
    reason: expect.stringMatching(/^there is no iptables-nft-save/),
  });
});

describe('beside a fact that keeps the text of the dumps', () => {
  test.each([
    ['asked for first', [iptablesFact, rulesetsFact]],
    ['asked for at the same time, later', [rulesetsFact, iptablesFact]],
  ])('%s, each is dumped once, and read to the same end', async (_when, facts) => {
    const asked: string[] = [];
    const host = await editedRecording(both);
    const noting = observed(host, (question) => asked.push(question));
    const { get } = createFactContext(noting, defaultConfig());
    await Promise.all(facts.map((fact: Fact<unknown>) => get(fact)));
    expect([...asked].sort()).toEqual([
      'ip6tables-legacy-save -c',
      'ip6tables-nft-save -c',
      'iptables-legacy-save -c',
      'iptables-nft-save -c',
    ]);
    expect(await get(rulesetsFact)).toEqual((await gather(rulesetsFact, both)).value);
  });
});
