import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { recordingSchema } from '../../src/host/recording-format.ts';
import { parseRuleset } from '../../src/netfilter/parse-ruleset.ts';
import { type DumpReading, readDump } from '../../src/netfilter/read-dump.ts';
import { type Ruleset, ruleLines, type Table } from '../../src/netfilter/ruleset.ts';
import type { TableReading } from '../../src/netfilter/table-reading.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');

export interface RecordedDump {
  /** Below fixtures/, for messages. */
  readonly name: string;
  /** As the host reads it: every byte a character. */
  readonly text: string;
}

/** Every dump that a recorded host answers with, all backends and families. */
export function recordedDumps(): readonly RecordedDump[] {
  const dumps = globSync(join(fixtures, '**/host.json')).flatMap((path) => {
    const folder = dirname(path);
    const { commands } = recordingSchema().parse(JSON.parse(readFileSync(path, 'utf8')));
    return commands
      .filter(({ tool }) => tool.endsWith('-save'))
      .flatMap(({ stdout }) => (stdout === undefined ? [] : [join(folder, stdout)]));
  });
  return [...new Set(dumps)].map((path) => ({
    name: relative(fixtures, path),
    text: readFileSync(path, 'latin1'),
  }));
}

/** A dump that has to parse. */
export function rulesetOf(text: string): Ruleset {
  const parsed = parseRuleset(text);
  if (parsed.kind === 'parsed') return parsed.ruleset;
  throw new Error(`line ${parsed.line}: ${parsed.reason}: ${parsed.text}`);
}

export function tableOf(ruleset: Ruleset, name: string): Table {
  const table = ruleset.tables.get(name);
  if (table === undefined) throw new Error(`there is no table ${name}`);
  return table;
}

/** What one pass over a dump tells; it has to parse. */
export function dumpReadingOf(text: string): DumpReading {
  const read = readDump(text);
  if (read.kind === 'read') return read.reading;
  throw new Error(`line ${read.line}: ${read.reason}: ${read.text}`);
}

export function readingOf(text: string, table: string): TableReading {
  const reading = dumpReadingOf(text).tables.get(table);
  if (reading === undefined) throw new Error(`there is no table ${table}`);
  return reading;
}

/** The rules of every chain of a table, in order, as printed. */
export function linesOf(ruleset: Ruleset, table: Table): readonly string[] {
  return [...table.chains.values()].flatMap((chain) => [...ruleLines(ruleset, chain)]);
}
