import { describe, expect, test } from 'vitest';
import { nftRulesetFact } from '../../src/facts/nft-ruleset.ts';
import type { RecordingInput } from '../../src/host/recording-format.ts';
import { gather } from './observed-host.ts';

type Command = NonNullable<RecordingInput['commands']>[number];

interface Node {
  /** What `nft list flowtables` prints; undefined: it fails. */
  readonly tables?: readonly string[] | undefined;
  /** Objects by what is listed: `table inet filter`. */
  readonly lists?: Readonly<Record<string, readonly unknown[]>>;
  /** What `iptables-nft-save` prints. */
  readonly dump?: string;
  readonly commands?: readonly Command[];
}

async function rulesetOf({ tables, lists = {}, dump = '', commands = [] }: Node) {
  const listed = (tables ?? []).map((table) => `table ${table} {\n}\n`).join('');
  const texts: Record<string, () => string> = { 'tables.txt': () => listed, 'dump.txt': () => dump };
  const told: Command[] = [
    { tool: 'iptables-nft-save', stdout: 'dump.txt' },
    {
      tool: 'nft',
      args: ['list', 'flowtables'],
      ...(tables === undefined ? { exitCode: 1 } : { stdout: 'tables.txt' }),
    },
  ];
  for (const [index, [what, objects]] of Object.entries(lists).entries()) {
    const stdout = `list-${index}.json`;
    texts[stdout] = () => JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6' } }, ...objects] });
    told.push({ tool: 'nft', args: ['-j', 'list', ...what.split(' ')], stdout });
  }
  const host = { commands: [...commands, ...told], files: [] };
  const { value, asked } = await gather(nftRulesetFact, 'kube-proxy-legacy-then-nft', {
    edits: { texts, host },
  });
  return { value, asked: asked.filter((question) => question.startsWith('nft ')) };
}

const metainfo = { metainfo: { version: '1.0.6' } };

describe('nft is asked', () => {
  test('which tables there are, and then for each by itself: a list of all takes minutes on a big node', async () => {
    const own = [
      { table: { family: 'inet', name: 'filter' } },
      { rule: { family: 'inet', table: 'filter' } },
    ];
    const flannel = [{ table: { family: 'ip', name: 'flannel-ipv4' } }];
    const lists = { 'table inet filter': own, 'table ip flannel-ipv4': flannel };
    const { value, asked } = await rulesetOf({ tables: ['inet filter', 'ip flannel-ipv4'], lists });
    expect(value).toEqual({ kind: 'present', objects: [metainfo, ...own, metainfo, ...flannel] });
    expect(asked).toEqual([
      'nft list flowtables',
      'nft -j list table inet filter',
      'nft -j list table ip flannel-ipv4',
    ]);
  });

  test('for the built-in chains alone of a table that the dump has and that is big', async () => {
    const rules = Array.from({ length: 10_001 }, () => '-A KUBE-SERVICES -j RETURN').join('\n');
    const dump = `*nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n${rules}\nCOMMIT\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n`;
    const chain = [{ chain: { family: 'ip', table: 'nat', name: 'PREROUTING' } }];
    const stderr = 'Error: No such file or directory\nlist chain ip nat OUTPUT\n                  ^^^^^^\n';
    const never: Command = {
      tool: 'nft',
      args: ['-j', 'list', 'chain', 'ip', 'nat', 'OUTPUT'],
      exitCode: 1,
      stderr,
    };
    const { value, asked } = await rulesetOf({
      tables: ['ip nat', 'ip filter'],
      lists: { 'chain ip nat PREROUTING': chain, 'table ip filter': [] },
      dump,
      commands: [never],
    });
    expect(asked).toEqual([
      'nft list flowtables',
      'nft -j list chain ip nat PREROUTING',
      'nft -j list chain ip nat OUTPUT',
      'nft -j list table ip filter',
    ]);
    expect(value).toEqual({ kind: 'present', objects: [metainfo, ...chain, metainfo] });
  });

  test.each<[string, Node]>([
    ['it cannot list tables', { tables: undefined }],
    ['it lists none', { tables: [] }],
    ['it leaves out one that iptables-nft has shown', { tables: ['inet filter'], dump: '*nat\nCOMMIT\n' }],
  ])('for everything where %s', async (_where, node) => {
    const { value, asked } = await rulesetOf({ ...node, lists: { ruleset: [] } });
    expect(asked).toEqual(['nft list flowtables', 'nft -j list ruleset']);
    expect(value).toEqual({ kind: 'present', objects: [metainfo] });
  });

  test('by no means where its module is not loaded', async () => {
    const files = [
      { path: '/proc/modules', text: 'ip_tables 1 0 - Live 0x0\n' },
      { path: '/proc/sys/kernel/osrelease', text: '6.1.0\n' },
      { path: '/lib/modules/6.1.0/modules.builtin', text: 'kernel/net/ipv4/netfilter/ip_tables.ko\n' },
    ];
    const { value, asked } = await gather(nftRulesetFact, 'kube-proxy-legacy-then-nft', {
      edits: { add: { files } },
    });
    expect(value).toEqual({ kind: 'absent' });
    expect(asked.filter((question) => question.includes('nft'))).toEqual([]);
  });
});

test('nft is not waited for where iptables-nft-save alone took too long', async () => {
  const { value, asked } = await rulesetOf({
    tables: ['ip nat'],
    commands: [{ tool: 'iptables-nft-save', args: ['-c'], timeout: true }],
  });
  expect(value).toEqual({
    kind: 'unknown',
    reason: 'iptables-nft-save did not end within 10 s and was killed: nft would take longer still',
  });
  expect(asked).toEqual(['nft list flowtables']);
});

test('a table that is removed meanwhile is not there', async () => {
  const args = ['-j', 'list', 'table', 'inet', 'filter'];
  const stderr = 'Error: No such file or directory\n';
  const { value } = await rulesetOf({
    tables: ['inet filter'],
    commands: [{ tool: 'nft', args, exitCode: 1, stderr }],
  });
  expect(value).toEqual({ kind: 'present', objects: [] });
});

describe('it is unknown', () => {
  const args = ['-j', 'list', 'table', 'inet', 'filter'];
  const tables = ['inet filter'];
  test.each<[string, Node, string]>([
    [
      'without nft',
      { commands: [{ tool: 'nft', absent: true }] },
      'there is no nft: tables that no iptables made cannot be seen',
    ],
    [
      'where it takes too long',
      { tables, commands: [{ tool: 'nft', args, timeout: true }] },
      'nft -j list table inet filter did not end within 60 s and was killed',
    ],
    [
      'where it cannot be started',
      { tables, commands: [{ tool: 'nft', args, failedToStart: 'EACCES' }] },
      'nft -j list table inet filter could not be run: EACCES',
    ],
    [
      'where it fails',
      {
        tables,
        commands: [{ tool: 'nft', args, exitCode: 1, stderr: 'Error: JSON support not compiled-in\n' }],
      },
      'nft -j list table inet filter failed with exit code 1: Error: JSON support not compiled-in',
    ],
    [
      'where nothing can be listed',
      {
        commands: [
          {
            tool: 'nft',
            args: ['-j', 'list', 'ruleset'],
            exitCode: 1,
            stderr: 'Error: No such file or directory\n',
          },
        ],
      },
      'nft -j list ruleset failed with exit code 1: Error: No such file or directory',
    ],
    [
      'where it prints something else',
      { tables, commands: [{ tool: 'nft', args, exitCode: 0 }] },
      'what nft printed is not its JSON',
    ],
  ])('%s', async (_where, node, reason) => {
    expect((await rulesetOf(node)).value).toEqual({ kind: 'unknown', reason });
  });
});
