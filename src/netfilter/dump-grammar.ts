/** What a dump says, in the order in which it says it. */
export interface DumpHandler {
  table(name: string): void;
  /** `policy` is `-` for a chain that somebody made. */
  chain(name: string, policy: string): void;
  /** A rule as printed, counters included; its chain was declared before. */
  rule(chain: string, line: string): void;
  /** A table that the tool refused to print, because it holds rules that only `nft` can express. */
  unreadable(table: string): void;
}

/** Why a dump cannot be believed: it is not what iptables-save writes, or not all of it. */
export interface DumpFault {
  /** Counted from 1. */
  readonly line: number;
  readonly text: string;
  readonly reason: string;
}

export interface DumpReader {
  /** The next line, without its end. Lines after a fault are ignored. */
  line(text: string): void;
  /** To be called after the last line; undefined when the dump is whole. */
  end(): DumpFault | undefined;
}

/**
 * Reads the output of `iptables-save` or `ip6tables-save`, of either backend, with or without
 * counters, line by line.
 *
 * Strict: a line it does not know, a rule for an undeclared chain or a table without COMMIT (a dump
 * cut short) is a fault, because a plan made from half a dump would be wrong.
 */
export function createDumpReader(handler: DumpHandler): DumpReader {
  const tables = new Set<string>();
  let open: { readonly name: string; readonly chains: Set<string> } | undefined;
  let fault: DumpFault | undefined;
  let count = 0;
  return {
    line(text) {
      count++;
      if (fault) return;
      const reason = read(text);
      if (reason !== undefined) fault = { line: count, text: text.slice(0, 200), reason };
    },
    end() {
      if (fault || !open) return fault;
      return { line: count, text: '', reason: `the dump ends inside table ${open.name}, before its COMMIT` };
    },
  };

  function read(line: string): string | undefined {
    switch (line[0]) {
      case undefined:
        return undefined;
      case '-':
      case '[':
        return readRule(line);
      case ':':
        return readDeclaration(line);
      case '#':
        return readComment(line);
      case '*':
        return openTable(line.slice(1));
      default:
        return closeTable(line);
    }
  }

  function readComment(line: string): undefined {
    const name = /^# Table [`'](\S+)' is incompatible, use 'nft' tool\.$/.exec(line)?.[1];
    if (name !== undefined) handler.unreadable(name);
  }

  function openTable(name: string): string | undefined {
    if (open) return `table ${name} begins inside table ${open.name}`;
    if (!/^\w+$/.test(name)) return 'not the name of a table';
    if (tables.has(name)) return `table ${name} is there twice`;
    tables.add(name);
    open = { name, chains: new Set() };
    handler.table(name);
    return undefined;
  }

  function closeTable(word: string): string | undefined {
    if (word !== 'COMMIT') return 'not a line that iptables-save writes';
    if (!open) return 'COMMIT outside a table';
    open = undefined;
    return undefined;
  }

  function readDeclaration(line: string): string | undefined {
    if (!open) return 'a chain outside a table';
    const [, name, policy] = /^:(\S+) (\S+) \[\d+:\d+\]$/.exec(line) ?? [];
    if (name === undefined || policy === undefined) return 'expected ":CHAIN POLICY [packets:bytes]"';
    if (open.chains.has(name)) return `chain ${name} is declared twice`;
    open.chains.add(name);
    handler.chain(name, policy);
    return undefined;
  }

  function readRule(line: string): string | undefined {
    if (!open) return 'a rule outside a table';
    const append = line[0] === '-' ? 0 : line.indexOf('] ') + 2;
    if (line[0] === '[' && append === 1) return 'counters without an end';
    if (!line.startsWith('-A ', append)) return 'expected "-A CHAIN ..."';
    const space = line.indexOf(' ', append + 3);
    const chain = space === -1 ? line.slice(append + 3) : line.slice(append + 3, space);
    if (!open.chains.has(chain)) return `a rule for chain ${chain}, which is not declared`;
    handler.rule(chain, line);
    return undefined;
  }
}
