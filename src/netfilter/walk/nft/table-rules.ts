import type { Family } from '../../ruleset.ts';
import type { BaseChain, CompiledRule } from '../flight.ts';
import type { NetworkReading } from '../reading.ts';
import type { ChainRef, RuleRef } from '../walk.ts';
import { createEnvironment } from './environment.ts';
import { printNftRule } from './print-statement.ts';
import { compileNftRule } from './rule.ts';
import type { NftRule, NftTable } from './ruleset.ts';
import { isOfIptables } from './taken-from-dump.ts';

export type TableRules = Pick<BaseChain, 'rules' | 'refOf'>;

/** The rules of a table for packets of a family, each chain made ready when it is asked for. */
export function tableRules(table: NftTable, family: Family, network: NetworkReading): TableRules {
  const environment = createEnvironment(family, table, network);
  const ready = new Map<string, readonly CompiledRule[]>();
  const home = {
    backend: isOfIptables(table, family) ? 'nft' : 'native',
    family: familyOf(table.family),
    table: table.name,
  } as const;
  const refOf = (chain: string): ChainRef => ({ ...home, chain });
  return {
    refOf,
    rules(name) {
      const before = ready.get(name);
      if (before) return before;
      const chain = table.chains.get(name);
      if (!chain) return undefined;
      const rules = chain.rules.map((rule, i) =>
        compileNftRule(refOfRule(refOf(name), i + 1, rule), rule.expressions, environment),
      );
      ready.set(name, rules);
      return rules;
    },
  };
}

/** Printed only for those who look at it. */
export function refOfRule(chain: ChainRef, number: number, { expressions, comment }: NftRule): RuleRef {
  let text: string | undefined;
  return {
    ...chain,
    number,
    get text() {
      text ??= printNftRule(expressions, comment);
      return text;
    },
  };
}

function familyOf(name: string): ChainRef['family'] {
  switch (name) {
    case 'ip':
      return 'ipv4';
    case 'ip6':
      return 'ipv6';
    case 'bridge':
    case 'netdev':
    case 'arp':
      return name;
    default:
      return 'inet';
  }
}
