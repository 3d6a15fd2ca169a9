import { describe, expect, test } from 'vitest';
import { withLines, without } from '../../facts/edited-recording.ts';
import {
  conntrackIn,
  diagnose,
  findingAt,
  hostPortGhost,
  legacyThenNft,
  namedIn,
  stepsOf,
  tablesIn,
} from './diagnose.ts';

const svc = 'KUBE-SVC-CDGGSHYLG3RE2FKL';

/** The check of the recording with more lines in one table of the IPv4 legacy dump. */
function withLegacy(
  table: string,
  lines: { readonly chains?: readonly string[]; readonly rules?: readonly string[] },
) {
  return diagnose(legacyThenNft, { texts: { 'iptables-legacy-save.txt': withLines(table, lines) } });
}

const allTables = [
  'legacy ipv4 filter',
  'legacy ipv4 mangle',
  'legacy ipv4 nat',
  'legacy ipv6 filter',
  'legacy ipv6 mangle',
  'legacy ipv6 nat',
];

function allBut(table: string): readonly string[] {
  return allTables.filter((name) => name !== table);
}

describe('a table is left alone, with the rule named, and all others are planned, when', () => {
  test.each([
    ['a chain of ufw leads to a ghost chain', 'ufw-user-input', `-A ufw-user-input -j ${svc}`],
    [
      'a built-in chain leads there by a rule of a person',
      undefined,
      `-A PREROUTING -d 192.0.2.1/32 -j ${svc}`,
    ],
    ['a chain of Docker leads there', 'DOCKER', `-A DOCKER -g ${svc}`],
    ['a chain with the prefix and no owner leads there', 'KUBE-MY-RULES', `-A KUBE-MY-RULES -j ${svc}`],
    [
      'an earlier host port chain marks with it',
      'KUBE-HP-CDGGSHYLG3RE2FKL',
      '-A KUBE-HP-CDGGSHYLG3RE2FKL -s 10.42.0.5/32 -j KUBE-MARK-MASQ',
    ],
  ])('%s', async (_why, chain, rule) => {
    const diagnosis = await withLegacy('nat', {
      chains: chain === undefined ? [] : [chain],
      rules: [`[3:180] ${rule}`],
    });
    expect(diagnosis.outcome).toBe('findings');
    expect(tablesIn(diagnosis)).toEqual(allBut('legacy ipv4 nat'));
    const { remedy } = findingAt(diagnosis, '10.43.0.80:80');
    const owned = /-[jg] (\S+)/.exec(rule)?.[1];
    expect(remedy).toEqual({
      kind: 'none',
      reason: `iptables-legacy nat: a rule that is not Kubernetes' own refers to ${owned}: ${rule}`,
    });
  });

  test.each([
    ['nat', '-A KUBE-SERVICES -s 203.0.113.7/32 -j DROP'],
    ['nat', `-A ${svc} -s 203.0.113.7/32 -m comment --comment "office, ticket 4711" -j RETURN`],
    ['filter', '-A KUBE-FORWARD -s 203.0.113.7/32 -j DROP'],
    ['mangle', '-A KUBE-PROXY-CANARY -j MARK --set-xmark 0x1/0x1'],
  ])('a person put a rule into a ghost chain of %s: %s', async (table, rule) => {
    const diagnosis = await withLegacy(table, { rules: [rule] });
    expect(tablesIn(diagnosis)).toEqual(allBut(`legacy ipv4 ${table}`));
    const reason = `iptables-legacy ${table}: ${/^-A (\S+)/.exec(rule)?.[1]} holds a rule that its owner does not write: ${rule}`;
    const refused = diagnosis.findings.filter(({ remedy }) => remedy.kind === 'none');
    expect(refused.length).toBeGreaterThan(0);
    for (const { remedy } of refused) expect(remedy).toEqual({ kind: 'none', reason });
  });

  test('a name is not the one that follows from its rules', async () => {
    const texts = {
      'iptables-legacy-save.txt': (text: string) =>
        text.replaceAll('KUBE-SEP-44QAFTDXKWK26IY3', 'KUBE-SEP-AAAAAAAAAAAAAAAA'),
    };
    const diagnosis = await diagnose(legacyThenNft, { texts });
    expect(tablesIn(diagnosis)).toEqual(allBut('legacy ipv4 nat'));
    expect(findingAt(diagnosis, '10.43.0.80:80').remedy).toEqual({
      kind: 'none',
      reason:
        'iptables-legacy nat: KUBE-SEP-AAAAAAAAAAAAAAAA is not the name that follows from what its rules say',
    });
  });

  test('a rule that concerns a ghost chain cannot be read', async () => {
    const diagnosis = await withLegacy('nat', { rules: [`-A ${svc} -m comment --comment "abc`] });
    expect(tablesIn(diagnosis)).toEqual(allBut('legacy ipv4 nat'));
    expect(findingAt(diagnosis, '10.43.0.80:80').remedy).toHaveProperty(
      'reason',
      expect.stringContaining('cannot be read'),
    );
  });
});

test('connections are not ended for a table that is left alone', async () => {
  const diagnosis = await withLegacy('nat', { rules: [`-A OUTPUT -j ${svc}`] });
  expect(conntrackIn(diagnosis)).toEqual([]);
});

test("recorded endpoints that were changed by hand contradict their chains' names", async () => {
  const texts = { 'iptables-legacy-save.txt': without(/KUBE-(IPTABLES-HINT|KUBELET-CANARY)/) };
  const diagnosis = await diagnose('k3s-ufw-reject-with-legacy-ghosts', { texts });
  expect(tablesIn(diagnosis)).not.toContain('legacy ipv4 nat');
  const ghost = findingAt(diagnosis, '10.43.0.10:53/udp');
  expect(ghost.remedy).toEqual({
    kind: 'none',
    reason:
      'iptables-legacy nat: KUBE-SEP-2RAD5WKGWNVHY3DH is not the name that follows from what its rules say',
  });
});

test('chains of others in the ghost backend are in no plan and in no way', async () => {
  const foreign = {
    chains: [
      'DOCKER',
      'ufw-user-input',
      'cali-PREROUTING',
      'CNI-3a1f0c2b4d5e6f708192a3b4',
      'f2b-sshd',
      'FLANNEL-POSTRTG',
    ],
    rules: [
      '-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER',
      '-A PREROUTING -m comment --comment "cali:6gwbT8clXdHdC1b1" -j cali-PREROUTING',
      '-A POSTROUTING -s 10.88.0.2/32 -m comment --comment "name: \\"podman\\" id: \\"abc\\"" -j CNI-3a1f0c2b4d5e6f708192a3b4',
      '-A CNI-3a1f0c2b4d5e6f708192a3b4 -d 10.88.0.0/16 -j ACCEPT',
      '-A DOCKER -d 192.0.2.1/32 -j RETURN',
      '-A OUTPUT -j ufw-user-input',
      '-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG',
    ],
  };
  const diagnosis = await withLegacy('nat', foreign);
  expect(tablesIn(diagnosis)).toEqual(allTables);
  expect(diagnosis.findings.every(({ remedy }) => remedy.kind === 'planned')).toBe(true);
  const named = namedIn(diagnosis);
  for (const chain of foreign.chains) expect(named.filter((name) => name.includes(chain))).toEqual([]);
});

test('a dead host port whose chain a person uses too is left alone', async () => {
  const rule = '-A PREROUTING -d 192.0.2.1/32 -j CNI-DN-ee38aa4d9699bb275365c';
  const texts = { 'legacy-save.txt': withLines('nat', { rules: [rule] }) };
  const diagnosis = await diagnose(hostPortGhost, { texts });
  expect(stepsOf(diagnosis)).toEqual([]);
  expect(findingAt(diagnosis, 'host port *:80/tcp').remedy).toHaveProperty(
    'reason',
    expect.stringContaining(rule),
  );
});
