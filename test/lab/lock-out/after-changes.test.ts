/** What a step would make of the rules is foretold, and done by the real iptables-restore: it is the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Addition, invertRemoval, printAddition } from '../../../src/netfilter/addition.ts';
import { parseRuleset } from '../../../src/netfilter/parse-ruleset.ts';
import { printRemoval, type Removal } from '../../../src/netfilter/removal.ts';
import { withoutCounters } from '../../../src/netfilter/rule.ts';
import { backends, type Ruleset, ruleLines } from '../../../src/netfilter/ruleset.ts';
import { afterChanges, type RuleChange } from '../../../src/netfilter/walk/after-changes.ts';
import type { FirewallReading } from '../../../src/netfilter/walk/reading.ts';
import { type LabNode, startNode } from '../node/start-node.ts';

const chains = ['one', 'two', 'three'];

/** A filter table whose chains lead to later ones, and which of them go. */
const scene = fc
  .record({
    rules: fc.array(
      fc.record({
        home: fc.constantFrom('INPUT', ...chains),
        rest: fc.constantFrom(
          ...[
            '-j one',
            '-g two',
            '-j three',
            '-p tcp -m tcp --dport 22 -j ACCEPT',
            '-s 192.0.2.0/24 -j DROP',
          ],
          ...['-m comment --comment "-j one" -j RETURN', '-i eth0', '-j LOG --log-prefix "one -j two "'],
        ),
      }),
      { minLength: 8, maxLength: 20 },
    ),
    gone: fc.subarray(chains, { minLength: 1 }),
    isWhole: fc.boolean(),
  })
  .map(({ rules, gone, isWhole }) => {
    const level = (chain: string) => chains.indexOf(chain);
    const lines = rules
      .filter(({ home, rest }) => {
        const target = /^-[jg] (one|two|three)$/.exec(rest)?.[1];
        return target === undefined || level(home) < level(target);
      })
      .map(({ home, rest }) => ({ chain: home, line: `-A ${home} ${rest}` }));
    const dump = [
      '*filter',
      ':INPUT ACCEPT [0:0]',
      ...chains.map((chain) => `:${chain} - [0:0]`),
      ...lines.map(({ line }) => line),
      'COMMIT',
      '',
    ].join('\n');
    const leading = lines.filter(
      ({ chain, line }) =>
        !gone.includes(chain) && gone.some((each) => new RegExp(` -[jg] ${each}$`).test(line)),
    );
    const removal: Removal = { table: 'filter', chains: gone, rules: isWhole ? leading : leading.slice(1) };
    return { dump, removal };
  });

describe.each(backends)('in %s', (backend) => {
  it('random removals, taken back again', async () => {
    await using node = await startNode();
    const counts = { done: 0, refused: 0 };
    for (const { dump, removal } of fc.sample(scene, { numRuns: 30, seed: 4 })) {
      await node.restore(backend, 'ipv4', dump);
      const before = await read(node);
      const foretold = afterChanges(before, [change({ kind: 'remove', removal })]);
      const isDone = await restore(node, printRemoval(removal));
      counts[isDone ? 'done' : 'refused']++;
      const after = await read(node);
      expectSame(foretold, after, dump);
      if (!isDone) {
        expectSame(after, before, dump);
        continue;
      }
      const addition: Addition = invertRemoval(removal, rulesetOf(before));
      const batch = printAddition(addition, rulesetOf(after));
      if (batch !== undefined) expect(await restore(node, batch)).toBe(true);
      expectSame(afterChanges(after, [change({ kind: 'add', addition })]), await read(node), dump);
    }
    expect(Math.min(counts.done, counts.refused)).toBeGreaterThan(2);
  });

  function change(what: RuleChange['change']): RuleChange {
    return { backend, family: 'ipv4', change: what };
  }

  function rulesetOf(reading: FirewallReading): Ruleset {
    const dump = reading.iptables[backend].ipv4;
    if (dump.kind !== 'present') throw new Error(dump.kind);
    return dump.ruleset;
  }

  async function restore(node: LabNode, batch: string): Promise<boolean> {
    const program = `iptables-${backend}-restore`;
    const { exitCode } = await node.exec([program, '--noflush', '--counters'], { input: batch });
    return exitCode === 0;
  }

  function expectSame(foretold: FirewallReading, seen: FirewallReading, dump: string): void {
    expect(rules(rulesetOf(foretold)), dump).toEqual(rules(rulesetOf(seen)));
    if (backend === 'nft') expect(handles(seen, handles(foretold)), dump).toEqual(handles(foretold));
  }
});

async function read(node: LabNode): Promise<FirewallReading> {
  const [legacy, nft, json] = await Promise.all([
    node.dump('legacy', 'ipv4', { counters: true }),
    node.dump('nft', 'ipv4', { counters: true }),
    node.run(['nft', '-j', 'list', 'ruleset']),
  ]);
  const absent = { kind: 'absent' } as const;
  return {
    iptables: { legacy: { ipv4: parse(legacy), ipv6: absent }, nft: { ipv4: parse(nft), ipv6: absent } },
    nft: { kind: 'present', objects: JSON.parse(json).nftables },
    sets: absent,
    network: { links: [], routes: [], policyRouting: false, forwarding: { ipv4: true, ipv6: true } },
    natFirst: { ipv4: undefined, ipv6: undefined },
  };
}

function parse(dump: string) {
  const parsed = parseRuleset(dump);
  if (parsed.kind !== 'parsed') throw new Error(parsed.reason);
  return { kind: 'present', ruleset: parsed.ruleset } as const;
}

/** The backends list chains in orders of their own. */
function rules(ruleset: Ruleset) {
  const table = ruleset.tables.get('filter');
  const listed = [...(table?.chains.values() ?? [])].map((chain) => ({
    name: chain.name,
    policy: chain.policy,
    rules: Array.from(ruleLines(ruleset, chain), withoutCounters),
  }));
  return listed.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Of each chain's rules, in order, as the kernel numbers them. Of those that are `expected` alone, and 0
 * where the number is not known there.
 */
function handles({ nft }: FirewallReading, expected?: Readonly<Record<string, readonly number[]>>) {
  if (nft.kind !== 'present') throw new Error(nft.kind);
  const found: Record<string, number[]> = {};
  for (const object of nft.objects) {
    const { rule, chain } = nftObject.parse(object);
    const name = chain?.name ?? rule?.chain ?? '';
    if (name === '' || (expected && !expected[name])) continue;
    found[name] ??= [];
    const isNew = expected?.[name]?.[found[name].length] === 0;
    if (rule) found[name].push(isNew ? 0 : rule.handle);
  }
  return found;
}

const nftObject = z.object({
  rule: z.object({ chain: z.string(), handle: z.number() }).optional(),
  chain: z.object({ name: z.string() }).optional(),
});
