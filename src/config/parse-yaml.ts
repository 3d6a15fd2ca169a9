import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import { DoctorError } from '../doctor-error.ts';

export interface YamlFile {
  /** Plain values: null, scalars, arrays, objects. */
  readonly value: unknown;
  /** Where a key or list item is written; of what is not written, its nearest parent. From 1. */
  readonly lineOf: (path: readonly PropertyKey[]) => number;
}

/**
 * Parses a file that has one plain YAML document. What a configuration has no need of, and what can
 * blow up or hide something, is refused: several documents, duplicate keys, aliases, tags, keys that
 * are not text. Throws DoctorError `config` with file and line.
 */
export function parseYaml(path: string, text: string): YamlFile {
  const lines = new LineCounter();
  const refuse = (offset: number, what: string): never => {
    const { line } = lines.linePos(offset);
    throw new DoctorError('config', `${path}:${Math.max(1, line)}: ${what}`);
  };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) refuse(problem.pos[0], explain(problem.code, problem.message));
  visit(document, {
    Alias: (_, { range }) =>
      refuse(range?.[0] ?? 0, 'expected the value itself, found an alias (*name of an &anchor)'),
    Pair: (_, { key }) => {
      if (!isScalar(key)) refuse(offsetOf(key) ?? 0, 'expected a name as key, found a list or a mapping');
    },
    Node: (_, { tag, range }) => {
      if (tag?.startsWith('!') || tag?.includes('binary')) {
        refuse(range?.[0] ?? 0, `expected a plain value, found the tag ${tag}`);
      }
    },
  });
  return {
    value: document.toJS(),
    lineOf: (keys) => Math.max(1, lines.linePos(findOffset(document.contents, keys)).line),
  };
}

function explain(code: string, message: string): string {
  if (code === 'RESOURCE_EXHAUSTION') return 'is nested too deeply';
  if (code === 'DUPLICATE_KEY') return 'this key is given twice in the same mapping';
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here, expected one';
  return `not valid YAML: ${message}`;
}

function findOffset(contents: unknown, keys: readonly PropertyKey[]): number {
  let node = contents;
  let offset = offsetOf(node) ?? 0;
  for (const key of keys) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (pair === undefined) return offset;
      offset = offsetOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      offset = offsetOf(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function offsetOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
}
