import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Host } from '../../src/host/host.ts';
import { type RecordingInput, recordingSchema } from '../../src/host/recording-format.ts';
import { replayingHost } from '../../src/host/replaying.ts';
import { temporaryFolder } from '../host/temporary-folder.ts';

export interface Edits {
  /** What becomes of the text files beside host.json, by name; a new name adds a file. */
  readonly texts?: Readonly<Record<string, (text: string) => string>>;
  /** Laid over host.json. */
  readonly host?: Partial<RecordingInput>;
  /** Added to what host.json has. */
  readonly add?: Partial<
    Pick<RecordingInput, 'commands' | 'files' | 'directories' | 'processes' | 'kube' | 'connects'>
  >;
}

const fixtures = join(import.meta.dirname, '../../fixtures');

/** A recorded host as it would have been under other circumstances. */
export async function editedRecording(
  fixture: string,
  { texts = {}, host = {}, add = {} }: Edits = {},
): Promise<Host> {
  const from = join(fixtures, fixture);
  const to = temporaryFolder();
  const original = readdirSync(from).filter((name) => statSync(join(from, name)).isFile());
  for (const name of new Set([...original, ...Object.keys(texts)])) {
    const text = original.includes(name) ? readFileSync(join(from, name), 'latin1') : '';
    mkdirSync(dirname(join(to, name)), { recursive: true });
    writeFileSync(join(to, name), texts[name]?.(text) ?? text, 'latin1');
  }
  const recorded = recordingSchema().parse(JSON.parse(readFileSync(join(from, 'host.json'), 'utf8')));
  const laid = { ...recorded, ...host };
  const added = {
    commands: [...(laid.commands ?? []), ...(add.commands ?? [])],
    files: [...(laid.files ?? []), ...(add.files ?? [])],
    directories: [...(laid.directories ?? []), ...(add.directories ?? [])],
    processes: [...(laid.processes ?? []), ...(add.processes ?? [])],
    kube: [...(laid.kube ?? []), ...(add.kube ?? [])],
    connects: [...(laid.connects ?? []), ...(add.connects ?? [])],
  };
  writeFileSync(join(to, 'host.json'), JSON.stringify({ ...laid, ...added }));
  return replayingHost(to);
}

/** Takes every line that a pattern matches out of a text. */
export function without(pattern: RegExp): (text: string) => string {
  return (text) =>
    text
      .split('\n')
      .filter((line) => !pattern.test(line))
      .join('\n');
}

/** Puts lines in front of the COMMIT of a table, and chains behind its declarations. */
export function withLines(
  table: string,
  { chains = [], rules = [] }: { readonly chains?: readonly string[]; readonly rules?: readonly string[] },
): (text: string) => string {
  return (text) => {
    const start = text.indexOf(`*${table}\n`);
    if (start === -1) throw new Error(`there is no table ${table}`);
    const declarations = start + table.length + 2;
    const commit = text.indexOf('COMMIT\n', start);
    const made = chains.map((chain) => `:${chain} - [0:0]\n`).join('');
    const appended = rules.map((rule) => `${rule}\n`).join('');
    return (
      text.slice(0, declarations) + made + text.slice(declarations, commit) + appended + text.slice(commit)
    );
  };
}
