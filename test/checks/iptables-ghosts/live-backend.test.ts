import { describe, expect, test } from 'vitest';
import { type Edits, withLines, without } from '../../facts/edited-recording.ts';
import { diagnose, findingAt, hostPortGhost, legacyThenNft, stepsOf, tablesIn } from './diagnose.ts';

const hint = withLines('mangle', { chains: ['KUBE-IPTABLES-HINT'] });
const noMark = without(/KUBE-(IPTABLES-HINT|KUBELET-CANARY)/);

async function reasonFor(edits: Edits, fixture = legacyThenNft): Promise<string> {
  const diagnosis = await diagnose(fixture, edits);
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
  test("kubelet's mark is in both backends", async () => {
    const texts = { 'iptables-legacy-save.txt': hint };
    expect(await reasonFor({ texts })).toBe(
      "kubelet's mark (mangle/KUBE-IPTABLES-HINT) is in both backends, so either may be the live one: iptables-legacy mangle, iptables-nft mangle",
    );
  });

  test("kubelet's mark is in the other backend in IPv6 only", async () => {
    const texts = { 'ip6tables-legacy-save.txt': hint };
    expect(await reasonFor({ texts })).toContain('is in both backends');
  });

  test('k3s runs and its mark is in neither', async () => {
    const texts = { 'iptables-nft-save.txt': noMark, 'ip6tables-nft-save.txt': noMark };
    expect(await reasonFor({ texts })).toContain('kubelet runs, but its mark');
  });

  test('no kubelet runs and there is no mark, but chains of kube-proxy', async () => {
    const texts = { 'iptables-nft-save.txt': noMark, 'ip6tables-nft-save.txt': noMark };
    expect(await reasonFor({ texts, host: { processes: [] } })).toContain(
      'which backend it will use cannot be told',
    );
  });

  test("kubelet marks one backend and kube-proxy's only rules are in the other", async () => {
    const noProxy = without(/KUBE-(?!IPTABLES-HINT|KUBELET-CANARY|FIREWALL)/);
    const texts = { 'iptables-nft-save.txt': noProxy, 'ip6tables-nft-save.txt': noProxy };
    expect(await reasonFor({ texts })).toBe(
      "kubelet writes to iptables-nft, but kube-proxy's only rules are in iptables-legacy: it may be writing there",
    );
  });

  test("the API knows the live backend's endpoints to be more dead than the other's", async () => {
    const swapped = {
      'endpointslices.json': (text: string) =>
        text.replaceAll('"10.42.0.9"', '"10.42.0.5"').replaceAll('"10.42.0.10"', '"10.42.0.8"'),
    };
    expect(await reasonFor({ texts: swapped })).toMatch(
      /^kubelet's mark says iptables-nft, but \d+ % of its endpoints are dead by the API and \d+ % of iptables-legacy's/,
    );
  });
});

// kube-proxy's process is known to be apart from kubelet's, but that is not used yet.
test('a kube-proxy of its own, with rules in both backends and no API to ask, may write to either', async () => {
  const host = { processes: [{ name: 'kubelet' }, { name: 'kube-proxy' }], kube: [] };
  const diagnosis = await diagnose(legacyThenNft, { host });
  expect({ outcome: diagnosis.outcome, steps: stepsOf(diagnosis) }).toEqual({
    outcome: 'unknown',
    steps: [],
  });
});

describe('the live backend is', () => {
  test('the one with the hint, where a kubelet from before the hint left its canary in the other', async () => {
    const texts = { 'iptables-legacy-save.txt': withLines('mangle', { chains: ['KUBE-KUBELET-CANARY'] }) };
    const { outcome, notes } = await diagnose(legacyThenNft, { texts });
    expect(outcome).toBe('findings');
    expect(notes).toContain(
      "kubelet's mark mangle/KUBE-IPTABLES-HINT is in iptables-nft and not in iptables-legacy",
    );
  });

  test('the one with the canary, where there is no hint', async () => {
    const noHint = without(/KUBE-IPTABLES-HINT/);
    const texts = { 'iptables-nft-save.txt': noHint, 'ip6tables-nft-save.txt': noHint };
    const { outcome, notes } = await diagnose(legacyThenNft, { texts });
    expect(outcome).toBe('findings');
    expect(notes).toContain(
      "kubelet's mark mangle/KUBE-KUBELET-CANARY is in iptables-nft and not in iptables-legacy",
    );
  });

  test('legacy, when the mark is there: then the ghosts are in nft', async () => {
    const swap = {
      commands: [
        { tool: 'iptables-legacy-save', stdout: 'iptables-nft-save.txt' },
        { tool: 'ip6tables-legacy-save', stdout: 'ip6tables-nft-save.txt' },
        { tool: 'iptables-nft-save', stdout: 'iptables-legacy-save.txt' },
        { tool: 'ip6tables-nft-save', stdout: 'ip6tables-legacy-save.txt' },
      ] as const,
    };
    const diagnosis = await diagnose(legacyThenNft, { host: { commands: [...swap.commands] } });
    expect(tablesIn(diagnosis).every((table) => table.startsWith('nft '))).toBe(true);
    expect(findingAt(diagnosis, '10.43.0.80:80').message).toBe(
      '10.43.0.80:80/tcp default/web → 10.42.0.5:8080 dead, 10.42.0.6:8080 dead (nft) · live: 10.42.0.9:8080 (legacy)',
    );
  });

  test.each([
    ['works in nftables mode', { add: { commands: [{ tool: 'nft' as const, exitCode: 0 }] } }],
    [
      'is disabled',
      { host: { processes: [{ name: 'k3s-server', args: ['k3s', 'server', '--disable-kube-proxy'] }] } },
    ],
    [
      'is replaced by Cilium',
      { add: { files: [{ path: '/proc/net/dev', text: '  lo: 0\ncilium_host: 0\n' }] } },
    ],
  ])('still the one with the mark when kube-proxy %s', async (_why, edits: Edits) => {
    const noProxy = without(/KUBE-(?!IPTABLES-HINT|KUBELET-CANARY|FIREWALL)/);
    const texts = { ...edits.texts, 'iptables-nft-save.txt': noProxy, 'ip6tables-nft-save.txt': noProxy };
    const diagnosis = await diagnose(legacyThenNft, { ...edits, texts });
    expect(diagnosis.outcome).toBe('findings');
    expect(tablesIn(diagnosis)).toContain('legacy ipv4 nat');
  });
});

test('the kernel without a legacy backend has nothing to be found there', async () => {
  const files = [
    { path: '/proc/net/ip_tables_names', absent: true as const },
    { path: '/proc/net/ip6_tables_names', absent: true as const },
  ];
  const diagnosis = await diagnose(legacyThenNft, { host: { files } });
  const { outcome, notes } = diagnosis;
  expect({ outcome, steps: stepsOf(diagnosis) }).toEqual({ outcome: 'ok', steps: [] });
  expect(notes).toContain('legacy ipv4: absent, the kernel has no legacy backend loaded');
});

test('without a kubelet, and with nothing of Kubernetes in any table, there is nothing to check', async () => {
  const empty = (text: string) =>
    text
      .split('\n')
      .filter((line) => !/KUBE-|CNI-/.test(line))
      .join('\n');
  const texts = { 'legacy-save.txt': empty, 'nft-save.txt': empty };
  const { outcome, reasons } = await diagnose(hostPortGhost, { texts });
  expect(outcome).toBe('skipped');
  expect(reasons).toEqual(['no kubelet runs here and no chain of Kubernetes or its CNI is in any table']);
});
