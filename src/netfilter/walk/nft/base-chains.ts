import type { Family } from '../../ruleset.ts';
import type { BaseChain, CompiledRule, Hook } from '../flight.ts';
import type { FirewallReading, NetworkReading } from '../reading.ts';
import type { ChainRef } from '../walk.ts';
import { doubtfulRule } from './doubtful-rule.ts';
import { linkLevelChains } from './link-level.ts';
import { type NftHook, type NftTable, readNftRuleset } from './ruleset.ts';
import { tableRules } from './table-rules.ts';
import { isInDump, nftFamilies } from './taken-from-dump.ts';

/**
 * What tables that no iptables made do to packets of a family, and those of iptables-nft that its dump
 * does not show. What nobody could look at is not among them.
 */
export function nativeBaseChains(reading: FirewallReading, family: Family): readonly BaseChain[] {
  const { nft, network } = reading;
  if (nft.kind !== 'present') return [];
  const awake = readNftRuleset(nft.objects).tables.filter(({ dormant }) => dormant !== true);
  const seen = awake.filter((table) => table.family === 'inet' || table.family === nftFamilies[family]);
  return [
    ...linkLevelChains(awake, network),
    ...seen.flatMap((table) =>
      chainsOf(table, family, network).filter(({ ref }) => !isInDump(reading, family, table, ref.chain)),
    ),
  ];
}

const hooks: ReadonlySet<string> = new Set(['prerouting', 'input', 'forward', 'output', 'postrouting']);

function isHook(name: string): name is Hook {
  return hooks.has(name);
}

function chainsOf(table: NftTable, family: Family, network: NetworkReading): readonly BaseChain[] {
  const { refOf, rules } = tableRules(table, family, network);
  return [...table.chains.values()].flatMap(({ name, hook: base }): BaseChain[] => {
    if (!base || !isHook(base.hook)) return [];
    const { hook, priority, policy } = base;
    const ref = refOf(name);
    const doubtful = table.dormant === undefined ? [mayBeDormant(ref), ...(rules(name) ?? [])] : undefined;
    return [
      {
        ref,
        hook,
        type: typeOf(base),
        priority,
        policy,
        rules: (chain) => (doubtful && chain === name ? doubtful : rules(chain)),
        refOf,
      },
    ];
  });
}

function mayBeDormant(chain: ChainRef): CompiledRule {
  return doubtfulRule(chain, `the flags of table ${chain.table} are not understood: it may be dormant`, [
    'continue',
    'accept',
  ]);
}

function typeOf({ type }: NftHook): BaseChain['type'] {
  return type === 'nat' || type === 'route' ? type : 'filter';
}
