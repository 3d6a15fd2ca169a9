import { type Backend, backends, type Chain, type Family, isBuiltIn, ruleLines } from '../../ruleset.ts';
import type { BaseChain, CompiledRule, Hook } from '../flight.ts';
import { type CrossCheck, crossCheckOf } from '../nft/cross-check.ts';
import type { FirewallReading } from '../reading.ts';
import type { ChainRef } from '../walk.ts';
import { compileLine } from './compile-rule.ts';
import type { RuleContext } from './matcher.ts';

/** The base chains of both backends, as their dumps have them. */
export function iptablesChains(reading: FirewallReading, family: Family): readonly BaseChain[] {
  return backends.flatMap((backend) => chainsOf(backend, family, reading));
}

function chainsOf(backend: Backend, family: Family, reading: FirewallReading): readonly BaseChain[] {
  const dump = reading.iptables[backend][family];
  if (dump.kind !== 'present') return [];
  const { ruleset } = dump;
  return [...ruleset.tables.values()].flatMap(({ name: table, chains }) => {
    const refOf = (chain: string): ChainRef => ({ backend, family, table, chain });
    const context: RuleContext = { backend, family, table, reading, hasChain: (chain) => chains.has(chain) };
    const compiled = new Map<string, readonly CompiledRule[]>();
    const check: CrossCheck = backend === 'nft' ? crossCheckOf(reading, family, table) : (_, saved) => saved;
    const rules = (name: string): readonly CompiledRule[] | undefined => {
      const known = compiled.get(name);
      const chain = chains.get(name);
      if (known || !chain) return known;
      const lines = [...ruleLines(ruleset, chain)];
      const saved = lines.map((line, i) => compileLine(line, refOf(name), i + 1, context));
      const made = check(refOf(name), saved);
      compiled.set(name, made);
      return made;
    };
    return [...chains.values()].flatMap((chain) => baseChain(chain, refOf(chain.name), { rules, refOf }));
  });
}

function baseChain(
  chain: Chain,
  ref: ChainRef,
  chains: Pick<BaseChain, 'rules' | 'refOf'>,
): readonly BaseChain[] {
  const hook = hooks[chain.name];
  const priority = hook && priorityOf(ref.table, hook);
  if (!isBuiltIn(chain) || !hook || priority === undefined) return [];
  return [
    {
      ref,
      hook,
      type: ref.table === 'nat' ? 'nat' : ref.table === 'mangle' && hook === 'output' ? 'route' : 'filter',
      priority,
      policy: chain.policy === 'DROP' ? 'drop' : 'accept',
      ...chains,
    },
  ];
}

const hooks: Readonly<Record<string, Hook>> = {
  PREROUTING: 'prerouting',
  INPUT: 'input',
  FORWARD: 'forward',
  OUTPUT: 'output',
  POSTROUTING: 'postrouting',
};

function priorityOf(table: string, hook: Hook): number | undefined {
  switch (table) {
    case 'raw':
      return -300;
    case 'mangle':
      return -150;
    case 'nat':
      return hook === 'input' || hook === 'postrouting' ? 100 : -100;
    case 'filter':
      return 0;
    case 'security':
      return 50;
    default:
      return undefined;
  }
}
