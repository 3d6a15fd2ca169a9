import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** A fault that was tried, and what came of it. */
export interface FaultRow {
  readonly what: string;
  readonly where: string;
  readonly exitCode: number;
  /** The node after the run. */
  readonly node: string;
  /** After the next run settled it, once the fault is gone; empty when the run had come to its end. */
  readonly later: string;
}

const document = fileURLToPath(new URL('../../../docs/reliability.md', import.meta.url));

/**
 * Prints the rows and compares them with the section of docs/reliability.md of that name, so that what
 * is said there is always what was seen. With UPDATE_RELIABILITY=1 it writes the section instead.
 */
export function expectDocumented(section: string, rows: readonly FaultRow[]): void {
  const table = printTable(rows);
  console.log(table);
  const text = readFileSync(document, 'utf8');
  const [begin, end] = [`<!-- ${section}: begin -->\n`, `<!-- ${section}: end -->`];
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end);
  if (from < begin.length || to < from) throw new Error(`docs/reliability.md has no section ${section}`);
  if (process.env['UPDATE_RELIABILITY'] === '1') {
    writeFileSync(document, `${text.slice(0, from)}\n${table}\n${text.slice(to)}`);
  } else {
    expect(text.slice(from, to).trim()).toBe(table.trim());
  }
}

function printTable(rows: readonly FaultRow[]): string {
  const lines = rows.map(({ what, where, exitCode, node, later }) =>
    ['', where, what, `${exitCode}`, later === '' ? node : `${node}, then ${later}`, ''].join(' | ').trim(),
  );
  return `| where | fault | exit code | node |\n|---|---|---|---|\n${lines.join('\n')}\n`;
}
