import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeStep } from '../../../src/engine/steps/steps.ts';
import { invertRemoval, printAddition } from '../../../src/netfilter/addition.ts';
import { chainOwner } from '../../../src/netfilter/chain-owner.ts';
import { isKnownJump, isNetworkPolicyResidue } from '../../../src/netfilter/known-jumps.ts';
import { compareAfterRemoval } from '../../../src/netfilter/removal.ts';
import { parseRule } from '../../../src/netfilter/rule.ts';
import { type Edits, editedRecording, without } from '../../facts/edited-recording.ts';
import { rulesetOf, tableOf } from '../../netfilter/recorded-dumps.ts';
import {
  type KernelTable,
  kernelTable,
  restoreNoflush,
  saveTable,
} from '../../netfilter/restore-interpreter.ts';
import { diagnose, hostPortGhost, legacyThenNft, type PlannedRemoval, removalsIn } from './diagnose.ts';
import { foreignChains, foreignRules, withForeign } from './foreign-rules.ts';

const noMark = without(/KUBE-(IPTABLES-HINT|KUBELET-CANARY)/);

/** Recorded nodes with ghosts, as somebody else's rules would make them; the sandbox `aaaa1111` is dead. */
const nodes = [
  {
    fixture: legacyThenNft,
    tables: 6,
    files: { 'iptables-legacy-save.txt': same, 'ip6tables-legacy-save.txt': same },
  },
  { fixture: 'kube-proxy-1.19-legacy-then-1.34-nft', tables: 3, files: { 'iptables-legacy-save.txt': same } },
  { fixture: 'kube-proxy-1.22-legacy-then-1.34-nft', tables: 6, files: { 'iptables-legacy-save.txt': same } },
  {
    fixture: 'kube-proxy-1.36-nft-without-comments',
    tables: 6,
    files: { 'iptables-nft-save.txt': noMark, 'ip6tables-nft-save.txt': noMark },
    noApi: true,
  },
  { fixture: hostPortGhost, tables: 1, files: { 'legacy-save.txt': same } },
] as const;

type Node = (typeof nodes)[number];

function same(text: string): string {
  return text;
}

function edited(node: Node, change: (text: string) => string): Edits {
  const texts = Object.fromEntries(
    Object.entries(node.files).map(([name, first]) => [name, (text: string) => change(first(text))]),
  );
  return { texts, ...('noApi' in node && { host: { kube: [] } }) };
}

/** The table that a step is about, as the kernel has it before. */
async function tableBefore(node: Node, edits: Edits, step: PlannedRemoval) {
  const host = await editedRecording(node.fixture, edits);
  const tool = `${step.family === 'ipv6' ? 'ip6tables' : 'iptables'}-${step.backend}-save` as const;
  const dump = await host.run({ tool, args: ['-c'], encoding: 'latin1' });
  if (dump.kind !== 'exited') throw new Error(`${tool} is not recorded`);
  const ruleset = rulesetOf(dump.stdout);
  return { ruleset, table: kernelTable(ruleset, tableOf(ruleset, step.removal.table)) };
}

function rulesOf(table: KernelTable, chains: readonly string[]): readonly (readonly string[])[] {
  return chains.map((name) => table.get(name)?.rules ?? []);
}

describe.each(nodes)('$fixture, with rules and chains of others in it', (node) => {
  test('every plan takes ghosts out and nothing else, and can be taken back', async () => {
    await fc.assert(
      fc.asyncProperty(foreignRules, async (rules) => {
        const edits = edited(node, withForeign(rules));
        const steps = removalsIn(await diagnose(node.fixture, edits));
        expect(steps).toHaveLength(node.tables);
        for (const step of steps) await prove(step, await tableBefore(node, edits, step));
      }),
      { numRuns: 8 },
    );
  });
});

async function prove(step: PlannedRemoval, before: Awaited<ReturnType<typeof tableBefore>>): Promise<void> {
  const { removal } = step;
  const batch = describeStep(step).input ?? '';
  for (const line of batch.split('\n')) expectHarmless(step, line);

  const removed = restoreNoflush(before.table, batch);
  if (removed.kind === 'refused') throw new Error(removed.reason);
  const after = rulesetOf(saveTable(removal.table, removed.table));
  expect(compareAfterRemoval(removal, before.ruleset, after)).toEqual({ remaining: [], lost: [], added: [] });
  expect([...removed.table.keys()].filter((name) => removal.chains.includes(name))).toEqual([]);
  expect(rulesOf(removed.table, foreignChains)).toEqual(rulesOf(before.table, foreignChains));
  for (const [name, { policy }] of removed.table) expect(policy).toBe(before.table.get(name)?.policy);

  const back = printAddition(invertRemoval(removal, before.ruleset), after);
  if (back === undefined) throw new Error('there is no batch to take it back');
  const restored = restoreNoflush(removed.table, back);
  if (restored.kind === 'refused') throw new Error(restored.reason);
  expect(Object.fromEntries(restored.table)).toEqual(Object.fromEntries(before.table));
}

/** No line of a batch names a built-in chain but to delete a rule that is known to be its owner's. */
function expectHarmless({ removal }: PlannedRemoval, line: string): void {
  if (line === '' || line === 'COMMIT' || line === `*${removal.table}`) return;
  const chain = /^(?::|-X )(\S+)( - \[0:0\])?$/.exec(line)?.[1];
  if (chain !== undefined) {
    expect(chainOwner(chain)).toMatch(/^(kube-proxy|kubelet|network-policy|portmap-sandbox)$/);
    return;
  }
  const rule = parseRule(line.replace(/^-D /, '-A '));
  if (rule === undefined) throw new Error(`not understood: ${line}`);
  const isDeadHostPort =
    rule.chain === 'CNI-HOSTPORT-DNAT' &&
    rule.options.some(({ values }) => values[0] === 'dnat name: "cbr0" id: "aaaa1111"') &&
    removal.chains.includes(rule.jump?.target ?? '');
  expect({
    line,
    known: isKnownJump(removal.table, rule) || isNetworkPolicyResidue(removal.table, rule) || isDeadHostPort,
  }).toEqual({ line, known: true });
}

test('leftovers of the network policy controller can be taken out and put back in their places', async () => {
  const texts = { 'iptables-legacy-save.txt': noMark };
  const steps = removalsIn(await diagnose('k3s-ufw-reject-with-legacy-ghosts', { texts }));
  const filter = steps.find(({ removal }) => removal.table === 'filter');
  expect(filter?.removal.chains).toContain('KUBE-ROUTER-INPUT');
  expect(filter?.removal.rules.filter(({ line }) => line.endsWith('-j ACCEPT'))).toHaveLength(3);
  const host = await editedRecording('k3s-ufw-reject-with-legacy-ghosts', { texts });
  const dump = await host.run({ tool: 'iptables-legacy-save', args: ['-c'], encoding: 'latin1' });
  const ruleset = rulesetOf(dump.kind === 'exited' ? dump.stdout : '');
  if (filter) await prove(filter, { ruleset, table: kernelTable(ruleset, tableOf(ruleset, 'filter')) });
});

describe('the kernel that these tests imagine', () => {
  const table: KernelTable = new Map([
    ['OUTPUT', { policy: 'ACCEPT', rules: ['[1:60] -A OUTPUT -j X', '-A OUTPUT -j ACCEPT'] }],
    ['X', { policy: '-', rules: ['-A X -j RETURN'] }],
  ]);

  test.each([
    ['deletes no chain that has rules', '-X X', 'not empty'],
    ['deletes no chain that is led to', ':X - [0:0]\n-X X', 'busy'],
    ['deletes no built-in chain', '-X OUTPUT', 'built-in'],
    ['deletes no rule that is not there', '-D OUTPUT -j DROP', 'no such rule'],
    ['inserts nothing past the end', '-I OUTPUT 4 -j DROP', 'too big'],
    ['knows no chain that is not declared', '-A Y -j DROP', 'no such chain'],
    ['leads to no chain that does not exist', '-A OUTPUT -j KUBE-SERVICES', 'no such target'],
  ])('%s', (_what, lines, reason) => {
    expect(restoreNoflush(table, `*nat\n${lines}\nCOMMIT\n`)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining(reason),
    });
  });

  test('empties a chain that is declared, sets the policy of a built-in one, and keeps its rules', () => {
    const done = restoreNoflush(table, '*nat\n:X - [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT\n');
    expect(done).toEqual({
      kind: 'done',
      table: new Map([
        ['OUTPUT', { policy: 'DROP', rules: ['[1:60] -A OUTPUT -j X', '-A OUTPUT -j ACCEPT'] }],
        ['X', { policy: '-', rules: [] }],
      ]),
    });
  });
});
