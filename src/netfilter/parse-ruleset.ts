import { createDumpReader, type DumpFault } from './dump-grammar.ts';
import type { Chain, Ruleset, Table } from './ruleset.ts';

export type ParsedRuleset =
  | { readonly kind: 'parsed'; readonly ruleset: Ruleset }
  | ({ readonly kind: 'unparsable' } & DumpFault);

/** A whole dump as a model, to compare and to put back; see `createDumpReader` for what it accepts. */
export function parseRuleset(text: string): ParsedRuleset {
  const tables = new Map<string, OpenTable>();
  const unreadable: string[] = [];
  let table: OpenTable | undefined;
  let start = 0;
  let end = 0;
  const reader = createDumpReader({
    table(name) {
      table = { name, chains: new Map() };
      tables.set(name, table);
    },
    chain(name, policy) {
      const chain = { name, policy, declaredAt: start, begin: 0, end: 0, more: undefined, ruleCount: 0 };
      table?.chains.set(name, chain);
    },
    rule(name) {
      const chain = table?.chains.get(name);
      if (chain) addRule(chain, start, end);
    },
    unreadable: (name) => unreadable.push(name),
  });
  while (start < text.length) {
    const newline = text.indexOf('\n', start);
    end = newline === -1 ? text.length : newline;
    reader.line(text.slice(start, end));
    start = end + 1;
  }
  const fault = reader.end();
  return fault ? { kind: 'unparsable', ...fault } : { kind: 'parsed', ruleset: { text, tables, unreadable } };
}

interface OpenTable extends Table {
  readonly chains: Map<string, OpenChain>;
}

type OpenChain = { -readonly [K in keyof Chain]: Chain[K] } & { more: number[] | undefined };

/** iptables-save prints a chain's rules one after the other; anything else is kept in pieces. */
function addRule(chain: OpenChain, start: number, end: number): void {
  const isFirst = chain.ruleCount === 0;
  chain.ruleCount++;
  if (isFirst) chain.begin = start;
  if (isFirst || (chain.more === undefined && chain.end === start - 1)) {
    chain.end = end;
    return;
  }
  chain.more ??= [];
  if (chain.more.at(-1) === start - 1) chain.more[chain.more.length - 1] = end;
  else chain.more.push(start, end);
}
