import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isKnownJump, isNetworkPolicyResidue } from '../../src/netfilter/known-jumps.ts';
import { parseRule, type Rule } from '../../src/netfilter/rule.ts';
import { filterJumps, natJumps, residueLines } from './lines/jumps.ts';

function ruleOf(line: string): Rule {
  const rule = parseRule(line);
  if (rule === undefined) throw new Error(`not a rule: ${line}`);
  return rule;
}

const jumps = [...filterJumps, ...natJumps];

test.each(jumps)('$versions: $line is its owner to remove', ({ table, line }) => {
  expect(isKnownJump(table, ruleOf(line))).toBe(true);
});

test('counters do not matter', () => {
  for (const { table, line } of jumps) expect(isKnownJump(table, ruleOf(`[12:720] ${line}`))).toBe(true);
});

test('no owner writes the same jump into another table or another chain', () => {
  for (const { table, line } of jumps) {
    expect(isKnownJump(table === 'nat' ? 'mangle' : 'raw', ruleOf(line))).toBe(false);
    const elsewhere = line.replace(/^-A \S+/, '-A ufw-user-input');
    expect(isKnownJump(table, ruleOf(elsewhere))).toBe(false);
    const unhooked = line.replace(/^-A \S+/, table === 'nat' ? '-A INPUT' : '-A PREROUTING');
    expect(isKnownJump(table, ruleOf(unhooked))).toBe(false);
  }
});

test('a jump with one more match, one comment more or less, or a goto is somebody else his', () => {
  const strict = jumps.filter(({ line }) => !line.includes('KUBE-POD-FW'));
  for (const { table, line } of strict) {
    const changes = [
      line.replace(/^-A \S+/, '$& -s 203.0.113.7/32'),
      line.replace(/^-A \S+/, '$& -i eth1'),
      line.replace(/^-A \S+/, '$& -p tcp'),
      line.replace(/ -j /, ' -m mark --mark 0x1 -j '),
      line.replace(/ -j /, ' -g '),
      line.replace(/--comment "[^"]+"/, '--comment "my own"'),
      line.replace(' -m comment --comment "', ' -m comment ! --comment "'),
      line.replace('--ctstate NEW', '--ctstate ESTABLISHED'),
      line.replace('--ctstate NEW', '--ctstate NEW,RELATED'),
      line.replace('--ctstate NEW', '! --ctstate NEW'),
    ].filter((changed) => changed !== line);
    for (const changed of changes)
      expect({ changed, known: isKnownJump(table, ruleOf(changed)) }).toEqual({ changed, known: false });
  }
});

describe('foreign references', () => {
  test.each([
    ['nat', '-A PREROUTING -d 10.43.0.80/32 -j KUBE-SVC-CDGGSHYLG3RE2FKL'],
    ['nat', '-A PREROUTING -j KUBE-SERVICES'],
    ['nat', '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-NODEPORTS'],
    ['nat', '-A POSTROUTING -s 10.42.0.0/16 -j KUBE-MARK-MASQ'],
    ['filter', '-A ufw-user-input -j KUBE-SERVICES'],
    ['filter', '-A INPUT -m comment --comment "kubernetes firewall" -j KUBE-FIREWALL'],
    ['filter', '-A FORWARD -j KUBE-FIREWALL'],
    [
      'filter',
      '-A FORWARD -m comment --comment "kube-router netpol - 4IA2OSFRMVNDXBVV" -j KUBE-ROUTER-FORWARD',
    ],
    ['filter', '-A FORWARD -j KUBE-POD-FW-24CAQJ4LYSAY3PHB'],
    [
      'filter',
      '-A FORWARD -m comment --comment "rule to jump traffic from POD name:a namespace: b to chain KUBE-POD-FW-XXXXXXXXXXXXXXXX" -j KUBE-POD-FW-24CAQJ4LYSAY3PHB',
    ],
    ['nat', '-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT'],
    ['filter', '-A FORWARD -j DOCKER-USER'],
  ])('%s %s', (table, line) => {
    expect(isKnownJump(table, ruleOf(line))).toBe(false);
  });
});

test("the last words of kube-router's comments follow from chain and rule", () => {
  for (const { line } of filterJumps.filter((each) => each.line.includes('kube-router netpol'))) {
    const [, hook = '', word] = /^-A (\S+) .* - (\S+)"/.exec(line) ?? [];
    const spec = ['-m', 'comment', '--comment', 'kube-router netpol', '-j', `KUBE-ROUTER-${hook}`];
    expect(word).toBe(
      base32(
        createHash('sha256')
          .update([hook, ...spec].join(''))
          .digest(),
      ),
    );
  }
});

function base32(digest: Buffer): string {
  const bits = [...digest].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return Array.from({ length: 16 }, (_none, i) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.charAt(Number.parseInt(bits.slice(i * 5, i * 5 + 5), 2)),
  ).join('');
}

test.each(residueLines)('%s is residue of the network policy controller', (line) => {
  expect(isNetworkPolicyResidue('filter', ruleOf(line))).toBe(true);
  expect(isNetworkPolicyResidue('mangle', ruleOf(line))).toBe(false);
});

test('an accept that differs from the controller in anything is somebody else his', () => {
  for (const line of residueLines) {
    const changes = [
      line.replace(/^-A \S+/, '-A ufw-user-forward'),
      line.replace('0x20000/0x20000', '0x10000/0x10000'),
      line.replace('--mark', '! --mark'),
      line.replace(' -m comment --comment', ' -s 10.42.0.0/16 -m comment --comment'),
      line.replace('KUBE-ROUTER rule', 'our rule'),
      line.replace('-j ACCEPT', '-j DROP'),
      line.replace('-j ACCEPT', '-g ACCEPT'),
      line.replace(' -m mark --mark 0x20000/0x20000', ''),
      line.replace(' -j ACCEPT', ' -m socket -j ACCEPT'),
    ];
    for (const changed of changes) expect(isNetworkPolicyResidue('filter', ruleOf(changed))).toBe(false);
  }
});
