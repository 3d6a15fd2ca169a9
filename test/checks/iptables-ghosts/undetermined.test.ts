import { describe, expect, test } from 'vitest';
import { defaultConfig } from '../../../src/config/config.ts';
import type { RecordingInput } from '../../../src/host/recording-format.ts';
import { type Edits, without } from '../../facts/edited-recording.ts';
import { diagnose, legacyThenNft, stepsOf, tablesIn } from './diagnose.ts';

/** The recording with one program doing something else. */
function withCommand(command: NonNullable<RecordingInput['commands']>[number]): Edits {
  const saves = [
    'iptables-legacy-save',
    'ip6tables-legacy-save',
    'iptables-nft-save',
    'ip6tables-nft-save',
  ] as const;
  const others = saves
    .filter((tool) => tool !== command.tool)
    .map((tool) => ({ tool, stdout: `${tool}.txt` }));
  return { host: { commands: [...others, command] } };
}

async function reasonFor(edits: Edits): Promise<string> {
  const diagnosis = await diagnose(legacyThenNft, edits);
  const { outcome, reasons, findings } = diagnosis;
  expect({ outcome, steps: stepsOf(diagnosis), findings, count: reasons.length }).toEqual({
    outcome: 'unknown',
    steps: [],
    findings: [],
    count: 1,
  });
  return reasons[0] ?? '';
}

describe('nothing is judged and nothing planned when', () => {
  test('a dump does not parse: the line is named', async () => {
    const texts = {
      'iptables-nft-save.txt': (text: string) => text.replace('COMMIT', 'iptables: what?\nCOMMIT'),
    };
    expect(await reasonFor({ texts })).toMatch(
      /^iptables-nft-save line \d+ cannot be read: .*"iptables: what\?"$/,
    );
  });

  test('a dump is cut short', async () => {
    const texts = {
      'ip6tables-legacy-save.txt': (text: string) => text.slice(0, text.lastIndexOf('COMMIT')),
    };
    expect(await reasonFor({ texts })).toMatch(
      /^ip6tables-legacy-save line \d+ cannot be read: the dump ends inside table/,
    );
  });

  test('a program hangs', async () => {
    expect(await reasonFor(withCommand({ tool: 'iptables-nft-save', timeout: true }))).toBe(
      'iptables-nft-save did not end within 10 s and was killed',
    );
  });

  test('a program fails', async () => {
    const stderr = 'first\niptables-nft-save: Permission denied\n';
    expect(await reasonFor(withCommand({ tool: 'iptables-nft-save', exitCode: 4, stderr }))).toBe(
      'iptables-nft-save failed with exit code 4: iptables-nft-save: Permission denied',
    );
  });

  test('a program cannot be started', async () => {
    expect(await reasonFor(withCommand({ tool: 'iptables-legacy-save', failedToStart: 'EACCES' }))).toBe(
      'iptables-legacy-save could not be run: EACCES',
    );
  });

  test('legacy tables are registered and nothing can list them', async () => {
    expect(await reasonFor(withCommand({ tool: 'iptables-legacy-save', absent: true }))).toMatch(
      /^legacy tables are registered \(filter, .*\) and no program here can list them; install iptables, or set commands\.iptables-legacy-save/,
    );
  });

  test('the list of legacy tables cannot be read', async () => {
    const files = [{ path: '/proc/net/ip_tables_names', unreadable: 'EACCES' }];
    expect(await reasonFor({ host: { files } })).toBe(
      'cannot read /proc/net/ip_tables_names: EACCES; run as root',
    );
  });

  test('nft hangs when asked for kube-proxy in nftables mode', async () => {
    const add = { commands: [{ tool: 'nft' as const, timeout: true as const }] };
    expect(await reasonFor({ add })).toMatch(/^nft list .* \(timeout\)$/);
  });
});

describe('tables that only nft can print', () => {
  const incompatible = (table: string) => (text: string) => {
    const start = text.indexOf(`*${table}\n`);
    const end = text.indexOf('COMMIT\n', start) + 'COMMIT\n'.length;
    return `# Table \`${table}' is incompatible, use 'nft' tool.\n${text.slice(0, start)}${text.slice(end)}`;
  };

  test('are said to be unjudged, with what was found elsewhere', async () => {
    const texts = { 'iptables-nft-save.txt': incompatible('filter') };
    const diagnosis = await diagnose(legacyThenNft, { texts });
    expect(diagnosis.reasons).toEqual([
      'nft ipv4 filter holds rules that only nft can express: it was not judged',
    ]);
    expect(diagnosis.outcome).toBe('findings');
  });

  test('make the check unknown when nothing else was found', async () => {
    const files = [
      { path: '/proc/net/ip_tables_names', absent: true as const },
      { path: '/proc/net/ip6_tables_names', absent: true as const },
    ];
    const texts = { 'iptables-nft-save.txt': incompatible('filter') };
    const diagnosis = await diagnose(legacyThenNft, { texts, host: { files } });
    expect({ outcome: diagnosis.outcome, steps: stepsOf(diagnosis) }).toEqual({
      outcome: 'unknown',
      steps: [],
    });
  });

  test("hide kubelet's mark or kube-proxy's rules: then nothing is planned", async () => {
    for (const table of ['mangle', 'nat']) {
      const texts = {
        'iptables-nft-save.txt': incompatible(table),
        'ip6tables-nft-save.txt': incompatible(table),
      };
      const diagnosis = await diagnose(legacyThenNft, { texts });
      expect({ outcome: diagnosis.outcome, steps: stepsOf(diagnosis) }).toEqual({
        outcome: 'unknown',
        steps: [],
      });
    }
  });
});

describe('a backend that is not there is no failure', () => {
  test('exit code 3: the kernel was built without it', async () => {
    const { outcome, notes } = await diagnose(
      legacyThenNft,
      withCommand({ tool: 'ip6tables-legacy-save', exitCode: 3, stderr: "can't initialize ip6tables table" }),
    );
    expect(outcome).toBe('findings');
    expect(notes).toContain('legacy ipv6: absent, the kernel does not support it');
  });

  test('no legacy table was ever registered: its program is not run', async () => {
    const files = [
      { path: '/proc/net/ip_tables_names', text: '\n' },
      { path: '/proc/net/ip6_tables_names', absent: true as const },
    ];
    const edits = withCommand({ tool: 'iptables-legacy-save', failedToStart: 'must not be run' });
    const { outcome, notes } = await diagnose(legacyThenNft, { host: { ...edits.host, files } });
    expect(outcome).toBe('ok');
    expect(notes).toContain('legacy ipv4: absent, no legacy table is registered');
  });

  test('nf_tables is not loaded: nothing asks nft, which would load it', async () => {
    const add = {
      files: [
        { path: '/proc/modules', text: 'ip_tables 1 0 - Live 0x0\n' },
        { path: '/proc/sys/kernel/osrelease', text: '6.1.0\n' },
        { path: '/lib/modules/6.1.0/modules.builtin', text: 'kernel/net/ipv4/foo.ko\n' },
      ],
      commands: [{ tool: 'nft' as const, failedToStart: 'must not be run' }],
    };
    const texts = {
      'iptables-legacy-save.txt': (text: string) =>
        text.replaceAll('KUBE-PROXY-CANARY', 'KUBE-IPTABLES-HINT'),
    };
    const { outcome, notes } = await diagnose(legacyThenNft, { add, texts });
    expect(outcome).toBe('ok');
    expect(notes).toContain('nft ipv4: absent, nf_tables is not loaded');
  });
});

test('a probe is not made when it is switched off', async () => {
  const config = {
    ...defaultConfig(),
    checks: { ...defaultConfig().checks, 'iptables-ghosts': { mode: 'fix' as const, probe: false } },
  };
  const add = {
    connects: [{ address: '10.43.0.10', port: 53, result: 'connected' as const, localPort: 40001 }],
  };
  const { notes } = await diagnose(legacyThenNft, { add }, config);
  expect(notes).toContain(
    'ipv4 nat: which backend comes first is unknown: probing is switched off (checks.iptables-ghosts.probe)',
  );
});

test('chains without comments, as a large cluster leaves them, are planned too', async () => {
  const texts = {
    'iptables-nft-save.txt': without(/KUBE-IPTABLES-HINT|KUBELET-CANARY/),
    'ip6tables-nft-save.txt': without(/KUBE-IPTABLES-HINT|KUBELET-CANARY/),
  };
  const diagnosis = await diagnose('kube-proxy-1.36-nft-without-comments', { texts, host: { kube: [] } });
  expect(diagnosis.outcome).toBe('findings');
  expect(tablesIn(diagnosis)).toContain('nft ipv4 nat');
});
