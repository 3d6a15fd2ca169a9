import { stringify } from 'yaml';
import type { Setting } from './list-settings.ts';

/** No comment moves further to the right than this for the sake of one long line. */
const maxColumn = 72;

/** Settings as a configuration file that says the same, with the source of each value beside it. */
export function renderSettings(settings: readonly Setting[]): string {
  const rows = settings.flatMap((setting, i) => rowsOf(setting, settings[i - 1]?.path ?? []));
  const widths = rows.flatMap(({ text, source }) => (source === undefined ? [] : [text.length]));
  const column = Math.min(Math.max(...widths), maxColumn);
  return rows
    .map(({ text, source }) => `${source === undefined ? text : `${text.padEnd(column)}  # ${source}`}\n`)
    .join('');
}

interface Row {
  readonly text: string;
  readonly source?: string;
}

/** The setting's line, and before it the headings that the setting before did not have. */
function rowsOf({ path, value, source, line }: Setting, before: Setting['path']): readonly Row[] {
  const different = path.findIndex((key, depth) => key !== before[depth]);
  const headings = path.slice(0, -1).map((key, depth) => ({ text: `${'  '.repeat(depth)}${key}:` }));
  const key = path.at(-1) ?? '';
  const name = typeof key === 'number' ? '-' : `${key}:`;
  const text = `${'  '.repeat(path.length - 1)}${name} ${inline(value)}`;
  return [...headings.slice(different), { text, source: line === undefined ? source : `${source}:${line}` }];
}

function inline(value: unknown): string {
  const style = { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 } as const;
  const text = stringify(value, style).trimEnd();
  // Long lists and texts of several lines; JSON is YAML, too.
  return text.includes('\n') ? JSON.stringify(value) : text;
}
