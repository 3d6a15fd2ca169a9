import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { invertRemoval, printAddition } from '../../../src/netfilter/addition.ts';
import { printRemoval, type Removal } from '../../../src/netfilter/removal.ts';
import type { Backend, Family, Ruleset } from '../../../src/netfilter/ruleset.ts';
import { afterChanges, type RuleChange } from '../../../src/netfilter/walk/after-changes.ts';
import type { FirewallReading } from '../../../src/netfilter/walk/reading.ts';
import { rulesetOf } from '../recorded-dumps.ts';
import { kernelTable, restoreNoflush, saveTable } from '../restore-interpreter.ts';

const counted = (line: string, index: number) => `[${index}:${index * 60}] ${line}`;

/** Chains that lead to each other, rules that are there twice, and a removal that may or may not be whole. */
const scene = fc
  .tuple(
    fc.array(
      fc.tuple(
        fc.constantFrom('OUTPUT', 'one', 'two', 'three'),
        fc.constantFrom('-j one', '-g two', '-j three', '-d 192.0.2.1/32 -j RETURN', '-j ACCEPT'),
      ),
      { maxLength: 14 },
    ),
    fc.subarray(['one', 'two', 'three', 'four']),
    fc.boolean(),
    fc.nat(),
  )
  .map(([pairs, chains, isWhole, seed]) => {
    const lines = pairs
      .filter(([chain, rest]) => !rest.endsWith(chain))
      .map(([chain, rest]) => `-A ${chain} ${rest}`);
    const dump = [
      '*nat',
      ':OUTPUT ACCEPT [0:0]',
      ...['one', 'two', 'three'].map((name) => `:${name} - [0:0]`),
      ...lines.map(counted),
      'COMMIT',
      '',
    ].join('\n');
    const leading = lines.filter(
      (line) =>
        !chains.includes(line.split(' ')[1] ?? '') && chains.some((chain) => line.endsWith(` ${chain}`)),
    );
    const rules = (isWhole ? leading : leading.slice(seed % 2)).map((line) => ({
      chain: line.split(' ')[1] ?? '',
      line,
    }));
    return { before: rulesetOf(dump), removal: { table: 'nat', chains, rules } };
  });

describe('what a batch makes of a dump', () => {
  it('is what the kernel would, removed and put back', () => {
    const seen = { done: 0, refused: 0 };
    fc.assert(
      fc.property(scene, ({ before, removal }) => {
        const after = printed(rulesetAfter(before, { kind: 'remove', removal }));
        const kernel = apply(before, printRemoval(removal));
        expect(after).toBe(kernel ?? printed(before));
        seen[kernel === undefined ? 'refused' : 'done']++;
        if (kernel === undefined) return;

        const addition = invertRemoval(removal, before);
        const now = rulesetOf(kernel);
        const batch = printAddition(addition, now);
        const back = batch === undefined ? printed(now) : apply(now, batch);
        expect(printed(rulesetAfter(now, { kind: 'add', addition }))).toBe(back);
      }),
      { numRuns: 500 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
  });

  it('is read again as any dump is', () => {
    fc.assert(
      fc.property(scene, ({ before, removal }) => {
        const after = rulesetAfter(before, { kind: 'remove', removal });
        const again = rulesetOf(printed(after));
        expect(printed(again)).toBe(printed(after));
        const chains = (ruleset: Ruleset) =>
          [...(ruleset.tables.get('nat')?.chains.values() ?? [])].map(({ name, policy, ruleCount }) => ({
            name,
            policy,
            ruleCount,
          }));
        expect(chains(after)).toEqual(chains(again));
      }),
    );
  });

  it('leaves every other dump alone', () => {
    const ruleset = rulesetOf('*nat\n:OUTPUT ACCEPT [0:0]\n:one - [0:0]\n-A OUTPUT -j one\nCOMMIT\n');
    const reading = readingOf(ruleset);
    const removal = { table: 'nat', chains: ['one'], rules: [{ chain: 'OUTPUT', line: '-A OUTPUT -j one' }] };
    const after = afterChanges(reading, [change('legacy', 'ipv6', { kind: 'remove', removal })]);
    expect(after.iptables.legacy.ipv6).not.toEqual(reading.iptables.legacy.ipv6);
    expect(after.iptables.legacy.ipv4).toBe(reading.iptables.legacy.ipv4);
    expect(after.iptables.nft).toBe(reading.iptables.nft);
    expect(after.nft).toBe(reading.nft);
  });

  it('changes nothing in a dump that could not be read', () => {
    const reading = readingOf(undefined);
    const removal = { table: 'nat', chains: ['one'], rules: [] };
    expect(afterChanges(reading, [change('nft', 'ipv4', { kind: 'remove', removal })])).toBe(reading);
  });
});

describe('what nft lists of the same chains', () => {
  const dump = rulesetOf(
    [
      '*filter',
      ':INPUT ACCEPT [0:0]',
      ':one - [0:0]',
      '-A INPUT -j ACCEPT',
      '-A INPUT -j one',
      '-A INPUT -j DROP',
      '-A one -j RETURN',
      'COMMIT',
      '',
    ].join('\n'),
  );
  const chain = (name: string, family = 'ip') => ({ chain: { family, table: 'filter', name, handle: 1 } });
  const rule = (name: string, handle: number, family = 'ip') => ({
    rule: { family, table: 'filter', chain: name, handle, expr: [{ counter: {} }] },
  });
  const others = [rule('INPUT', 9, 'ip6'), { set: { family: 'ip', table: 'filter', name: 'one' } }];
  const listed = [chain('INPUT'), chain('one'), rule('INPUT', 1), rule('INPUT', 2), rule('INPUT', 3)];
  const removal: Removal = {
    table: 'filter',
    chains: ['one'],
    rules: [{ chain: 'INPUT', line: '-A INPUT -j one' }],
  };

  it('loses the same rules and chains', () => {
    expect(listAfter([...others, ...listed, rule('one', 4)], { kind: 'remove', removal })).toEqual([
      ...others,
      chain('INPUT'),
      rule('INPUT', 1),
      rule('INPUT', 3),
    ]);
  });

  it('has a place for each rule that is new', () => {
    const addition = {
      table: 'filter',
      chains: [{ name: 'two', lines: ['-A two -j RETURN'] }],
      inserts: [
        {
          chain: 'INPUT',
          lines: ['-A INPUT -j ACCEPT', '-A INPUT -j two', '-A INPUT -j one', '-A INPUT -j DROP'],
          wanted: [1],
        },
      ],
    };
    const fresh = (name: string) => ({
      rule: { family: 'ip', table: 'filter', chain: name, handle: 0, expr: [] },
    });
    expect(listAfter([...listed, rule('one', 4)], { kind: 'add', addition })).toEqual([
      chain('INPUT'),
      chain('one'),
      rule('one', 4),
      rule('INPUT', 1),
      fresh('INPUT'),
      rule('INPUT', 2),
      rule('INPUT', 3),
    ]);
  });

  it('stays without the chains that nft was not asked about', () => {
    const builtIn = listed.filter((object) => !JSON.stringify(object).includes('"one"'));
    const shorter = { table: 'filter', chains: [], rules: [{ chain: 'one', line: '-A one -j RETURN' }] };
    expect(listAfter(builtIn, { kind: 'remove', removal: shorter })).toEqual(builtIn);
  });

  it('says nothing of chains that nft was not asked about', () => {
    expect(listAfter([chain('one'), rule('one', 4)], { kind: 'remove', removal })).toEqual([]);
  });

  it('disagrees with the dump as before', () => {
    const after = listAfter([...listed.slice(0, -1), rule('one', 4)], { kind: 'remove', removal });
    expect(after.filter((object) => JSON.stringify(object).includes('"chain":"INPUT"'))).toHaveLength(3);
  });

  function listAfter(objects: readonly unknown[], what: RuleChange['change']) {
    const reading = { ...readingOf(dump), nft: { kind: 'present' as const, objects } };
    const { nft } = afterChanges(reading, [change('nft', 'ipv4', what)]);
    if (nft.kind !== 'present') throw new Error(nft.kind);
    return nft.objects;
  }
});

function change(backend: Backend, family: Family, what: RuleChange['change']): RuleChange {
  return { backend, family, change: what };
}

function rulesetAfter(before: Ruleset, what: RuleChange['change']): Ruleset {
  const { legacy } = afterChanges(readingOf(before), [change('legacy', 'ipv4', what)]).iptables;
  if (legacy.ipv4.kind !== 'present') throw new Error(legacy.ipv4.kind);
  return legacy.ipv4.ruleset;
}

/** Undefined: the kernel refuses it. */
function apply(before: Ruleset, batch: string): string | undefined {
  const table = before.tables.get('nat');
  if (!table) throw new Error('no table nat');
  const restored = restoreNoflush(kernelTable(before, table), batch);
  return restored.kind === 'done' ? saveTable('nat', restored.table) : undefined;
}

function printed(ruleset: Ruleset): string {
  const table = ruleset.tables.get('nat');
  if (!table) throw new Error('no table nat');
  return saveTable('nat', kernelTable(ruleset, table));
}

/** The same dump everywhere; undefined: none could be read. */
function readingOf(ruleset: Ruleset | undefined): FirewallReading {
  const dump = ruleset
    ? ({ kind: 'present', ruleset } as const)
    : ({ kind: 'unknown', reason: 'torn' } as const);
  const both = { ipv4: dump, ipv6: dump };
  return {
    iptables: { legacy: both, nft: both },
    nft: { kind: 'absent' },
    sets: { kind: 'absent' },
    network: {
      links: [],
      routes: [],
      policyRouting: false,
      forwarding: { ipv4: true, ipv6: true },
    },
    natFirst: { ipv4: undefined, ipv6: undefined },
  };
}
