import { describe, expect, test } from 'vitest';
import { defaultConfig } from '../../src/config/config.ts';
import { createFactContext } from '../../src/engine/fact.ts';
import { firewallFact } from '../../src/facts/firewall.ts';
import { natOrderFact } from '../../src/facts/nat-order.ts';
import type { RecordingInput } from '../../src/host/recording-format.ts';
import type { FirewallReading } from '../../src/netfilter/walk/reading.ts';
import { type Edits, editedRecording, withLines, without } from './edited-recording.ts';
import { gather } from './observed-host.ts';

type Command = NonNullable<RecordingInput['commands']>[number];

const both = 'kube-proxy-legacy-then-nft';
const ufw = 'k3s-ufw-reject-with-legacy-ghosts';

async function readingOf(fixture: string, edits: Edits = {}): Promise<FirewallReading> {
  return (await gather(firewallFact, fixture, { edits })).value.reading;
}

test('a node has the tables of both backends and families, and what nft lists', async () => {
  const { iptables, nft } = await readingOf(both);
  for (const backend of ['legacy', 'nft'] as const) {
    for (const family of ['ipv4', 'ipv6'] as const) {
      const dump = iptables[backend][family];
      expect(dump.kind === 'present' && [...dump.ruleset.tables.keys()].sort()).toEqual([
        'filter',
        'mangle',
        'nat',
      ]);
    }
  }
  expect(nft.kind === 'present' && nft.objects.length).toBeGreaterThan(100);
});

describe('a dump that cannot be had is unknown, and the others are there', () => {
  test.each<[string, Edits, string]>([
    [
      'its tables cannot be listed',
      { host: { files: [{ path: '/proc/net/ip_tables_names', unreadable: 'EACCES' }] } },
      'cannot read /proc/net/ip_tables_names: EACCES',
    ],
    [
      'there are tables and nothing to list them with',
      commands({ tool: 'iptables-legacy-save', args: ['-c'], absent: true }),
      'legacy tables are registered (filter, mangle, nat) and no program here can list them',
    ],
    [
      'it hangs',
      commands({ tool: 'iptables-legacy-save', args: ['-c'], timeout: true }),
      'iptables-legacy-save did not end within 10 s and was killed',
    ],
    [
      'it cannot be started',
      commands({ tool: 'iptables-legacy-save', args: ['-c'], failedToStart: 'EACCES' }),
      'iptables-legacy-save could not be run: EACCES',
    ],
    [
      'it fails',
      commands({ tool: 'iptables-legacy-save', args: ['-c'], exitCode: 1, stderr: 'Permission denied\n' }),
      'iptables-legacy-save failed with exit code 1: Permission denied',
    ],
    [
      'there is a rule that it cannot print, which it says as if there were no table',
      commands({
        tool: 'iptables-legacy-save',
        args: ['-c'],
        exitCode: 3,
        stderr:
          'Error: unknown payload offset\niptables-nft-save v1.8.9 (nf_tables): Parsing nftables rule failed\nPerhaps iptables-nft-save or your kernel needs to be upgraded.\n',
      }),
      'iptables-legacy-save cannot print a rule that nft has made: Error: unknown payload offset',
    ],
    [
      'it is cut short',
      { texts: { 'iptables-legacy-save.txt': (text) => text.slice(0, text.lastIndexOf('COMMIT')) } },
      'iptables-legacy-save line',
    ],
    [
      'a table is left out that the kernel has',
      { texts: { 'iptables-legacy-save.txt': (text) => text.slice(0, text.indexOf('*nat')) } },
      'iptables-legacy-save left out table nat, which the kernel has',
    ],
  ])('%s', async (_what, edits, reason) => {
    const { iptables } = await readingOf(both, edits);
    expect(iptables.legacy.ipv4).toEqual({ kind: 'unknown', reason: expect.stringContaining(reason) });
    expect(iptables.nft.ipv4.kind).toBe('present');
  });

  function commands(command: Command): Edits {
    return { add: { commands: [command] } };
  }
});

describe('a backend is absent', () => {
  test('where no legacy table is registered', async () => {
    const { iptables } = await readingOf(both, { host: { files: [] } });
    expect(iptables.legacy).toEqual({ ipv4: { kind: 'absent' }, ipv6: { kind: 'absent' } });
  });

  test('where the kernel does not have it', async () => {
    const command: Command = { tool: 'iptables-legacy-save', args: ['-c'], exitCode: 3 };
    const { iptables } = await readingOf(both, { add: { commands: [command] } });
    expect(iptables.legacy.ipv4).toEqual({ kind: 'absent' });
  });
});

describe('which nat table comes first', () => {
  const probe: Edits = {
    texts: {
      'probe.txt': () =>
        'tcp 6 119 TIME_WAIT src=10.0.0.1 dst=10.43.0.10 sport=40001 dport=53 src=10.42.0.8 dst=10.0.0.1 sport=53 dport=40001 use=1\n',
    },
    add: {
      connects: [{ address: '10.43.0.10', port: 53, result: 'connected', localPort: 40001 }],
      commands: [{ tool: 'conntrack', stdout: 'probe.txt' }],
    },
  };

  test('is known where a probe shows it', async () => {
    expect((await readingOf(both, probe)).natFirst).toEqual({ ipv4: 'legacy', ipv6: undefined });
  });

  test('is not known where it does not, nor where that needs what cannot be read', async () => {
    expect((await readingOf(both)).natFirst).toEqual({ ipv4: undefined, ipv6: undefined });
    const command: Command = { tool: 'ip6tables-legacy-save', args: ['-c'], exitCode: 1 };
    const add = { ...probe.add, commands: [...(probe.add?.commands ?? []), command] };
    expect((await readingOf(both, { ...probe, add })).natFirst).toEqual({ ipv4: undefined, ipv6: undefined });
  });

  test('is not asked where one backend has none: all rules would be read once more for it', async () => {
    const host = await editedRecording(both, { host: { files: [] } });
    const context = createFactContext(host, defaultConfig());
    await context.get(firewallFact);
    expect(context.ifAsked(natOrderFact)).toBeUndefined();
  });
});

describe('sets', () => {
  const matching = withLines('filter', { rules: ['-A INPUT -m set --match-set bad src -j DROP'] });
  const texts = { 'iptables-legacy-save.txt': matching };

  async function setsOf(edits: Edits) {
    const { value, asked } = await gather(firewallFact, both, { edits });
    return { sets: value.reading.sets, asked: asked.filter((question) => question.startsWith('ipset')) };
  }

  test('are not asked for where no rule matches one', async () => {
    expect(await setsOf({})).toEqual({ sets: { kind: 'absent' }, asked: [] });
  });

  test('nor where their module is not loaded', async () => {
    const files = [
      { path: '/proc/modules', text: 'nf_tables 1 0 - Live 0x0\n' },
      { path: '/proc/sys/kernel/osrelease', text: '6.1.0\n' },
      { path: '/lib/modules/6.1.0/modules.builtin', text: 'kernel/x.ko\n' },
    ];
    expect(await setsOf({ texts, add: { files } })).toEqual({ sets: { kind: 'absent' }, asked: [] });
  });

  test('are all there where a rule matches one', async () => {
    const saved = 'create bad hash:ip family inet hashsize 1024 maxelem 65536\nadd bad 192.0.2.1\n';
    const { sets, asked } = await setsOf({
      texts: { ...texts, 'ipset.txt': () => saved },
      add: { commands: [{ tool: 'ipset', args: ['save'], stdout: 'ipset.txt' }] },
    });
    expect(asked).toEqual(['ipset save']);
    expect(sets).toMatchObject({ kind: 'present' });
    expect(sets.kind === 'present' && sets.sets.get('bad')).toMatchObject({
      type: 'hash:ip',
      family: 'ipv4',
      entries: [['192.0.2.1']],
    });
  });

  test.each<[string, Command, string]>([
    [
      'there is no ipset',
      { tool: 'ipset', absent: true },
      'there is no ipset to list the sets with that rules match',
    ],
    ['it hangs', { tool: 'ipset', timeout: true }, 'ipset save did not end within 10 s and was killed'],
    ['it cannot be started', { tool: 'ipset', failedToStart: 'EACCES' }, 'ipset could not be run: EACCES'],
    [
      'it fails',
      { tool: 'ipset', exitCode: 1, stderr: 'ipset v7.17: Kernel error received: Operation not permitted\n' },
      'ipset save failed with exit code 1: ipset v7.17: Kernel error received: Operation not permitted',
    ],
    [
      'it prints something else',
      { tool: 'ipset', stdout: 'else.txt' },
      'what ipset save printed cannot be read',
    ],
  ])('are unknown where %s', async (_where, command, reason) => {
    const { sets } = await setsOf({
      texts: { ...texts, 'else.txt': () => 'Name: bad\n' },
      add: { commands: [command] },
    });
    expect(sets).toEqual({ kind: 'unknown', reason });
  });
});

test('of UFW, the recorded node has all that was recorded', async () => {
  const { iptables } = await readingOf(ufw, { texts: { 'ip6tables-nft-save.txt': without(/ufw6-/) } });
  const dump = iptables.nft.ipv4;
  expect(dump.kind === 'present' && dump.ruleset.tables.get('filter')?.chains.has('ufw-user-forward')).toBe(
    true,
  );
});
