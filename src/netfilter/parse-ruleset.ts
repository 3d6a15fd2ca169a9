import type { Chain, Ruleset, Table } from './ruleset.ts';

export type ParsedRuleset =
  | { readonly kind: 'parsed'; readonly ruleset: Ruleset }
  | { readonly kind: 'unparsable'; readonly line: number; readonly text: string; readonly reason: string };

/**
 * Reads the output of `iptables-save` or `ip6tables-save`, of either backend, with or without counters.
 *
 * Strict: a line it does not know, a rule for an undeclared chain or a table without COMMIT (a dump
 * cut short) makes the whole dump unparsable, because a plan made from half a dump would be wrong.
 */
export function parseRuleset(text: string): ParsedRuleset {
  const tables = new Map<string, Table>();
  const unreadable: string[] = [];
  let open: OpenTable | undefined;
  let at = 0;
  let line = 0;
  while (at < text.length) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    line++;
    const reason = readLine(at, end);
    if (reason !== undefined) return { kind: 'unparsable', line, text: text.slice(at, end).slice(0, 200), reason };
    at = end + 1;
  }
  if (open) {
    const reason = `the dump ends inside table ${open.name}, before its COMMIT`;
    return { kind: 'unparsable', line, text: '', reason };
  }
  return { kind: 'parsed', ruleset: { text, tables, unreadable } };

  function readLine(start: number, end: number): string | undefined {
    if (start === end) return undefined;
    switch (text[start]) {
      case '-':
      case '[':
        return readRule(start, end);
      case ':':
        return readDeclaration(text.slice(start, end));
      case '#':
        readComment(text.slice(start, end));
        return undefined;
      case '*':
        return openTable(text.slice(start + 1, end));
      default:
        return closeTable(text.slice(start, end));
    }
  }

  function readComment(comment: string): void {
    const name = /^# Table [`'](\S+)' is incompatible, use 'nft' tool\.$/.exec(comment)?.[1];
    if (name !== undefined) unreadable.push(name);
  }

  function openTable(name: string): string | undefined {
    if (open) return `table ${name} begins inside table ${open.name}`;
    if (!/^\w+$/.test(name)) return 'not the name of a table';
    if (tables.has(name)) return `table ${name} is there twice`;
    open = { name, chains: new Map() };
    return undefined;
  }

  function closeTable(word: string): string | undefined {
    if (word !== 'COMMIT') return 'not a line that iptables-save writes';
    if (!open) return 'COMMIT outside a table';
    tables.set(open.name, open);
    open = undefined;
    return undefined;
  }

  function readDeclaration(declaration: string): string | undefined {
    if (!open) return 'a chain outside a table';
    const parts = /^:(\S+) (\S+) (\[\d+:\d+\])$/.exec(declaration);
    const [, name, policy, counters] = parts ?? [];
    if (name === undefined || policy === undefined || counters === undefined) {
      return 'expected ":CHAIN POLICY [packets:bytes]"';
    }
    if (open.chains.has(name)) return `chain ${name} is declared twice`;
    open.chains.set(name, { name, policy, counters, spans: [], ruleCount: 0 });
    return undefined;
  }

  function readRule(start: number, end: number): string | undefined {
    if (!open) return 'a rule outside a table';
    const append = text[start] === '-' ? start : text.indexOf('] ', start) + 2;
    if (append < start + 2 && append !== start) return 'counters without an end';
    if (!text.startsWith('-A ', append) || append > end) return 'expected "-A CHAIN ..."';
    const space = text.indexOf(' ', append + 3);
    const name = text.slice(append + 3, space === -1 || space > end ? end : space);
    const chain = open.chains.get(name);
    if (!chain) return `a rule for chain ${name}, which is not declared`;
    chain.ruleCount++;
    const last = chain.spans.length - 1;
    if (chain.spans[last] === start - 1) chain.spans[last] = end;
    else chain.spans.push(start, end);
    return undefined;
  }
}

interface OpenTable extends Table {
  readonly chains: Map<string, OpenChain>;
}

type OpenChain = Omit<Chain, 'spans' | 'ruleCount'> & { spans: number[]; ruleCount: number };
