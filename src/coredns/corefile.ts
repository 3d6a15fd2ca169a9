import { addWord, begin, type Draft, draftOf } from './draft.ts';
import { environment, type Token, type Word, wordsOf } from './words.ts';

export type { Word } from './words.ts';

/**
 * coredns/: what CoreDNS reads and tells: its Corefile, taken apart and put together again byte by byte,
 * what it makes of it, and its metrics. Pure, no imports.
 */

/** A Corefile as it stands, and where in the text each thing is. Nothing is dropped: the text is the model. */
export interface Corefile {
  readonly text: string;
  /** In the order of the file; snippets (`(name) { ... }`) among them. */
  readonly blocks: readonly ServerBlock[];
  /** `import` outside of any block, in the order of the file. */
  readonly imports: readonly Directive[];
}

export interface ServerBlock {
  /** As written, e.g. `.:53`, `example.org`, `(snippet)`. */
  readonly keys: readonly string[];
  readonly isSnippet: boolean;
  readonly directives: readonly Directive[];
  /** Of its first key, counted from 1. */
  readonly line: number;
}

export interface Directive {
  /** `forward`, `import`, ...: the first word. */
  readonly name: string;
  /** The words behind it on its line, with quotes taken away. */
  readonly args: readonly Word[];
  /** The lines between its braces, each as words; undefined where it has none. */
  readonly body: readonly Directive[] | undefined;
  readonly line: number;
  /** Where it begins in the text, and where it ends (behind its last word or brace). */
  readonly start: number;
  readonly end: number;
}

export type ParsedCorefile =
  | { readonly kind: 'parsed'; readonly corefile: Corefile }
  /** `reason`: `line 7: ...`, what was expected. */
  | { readonly kind: 'malformed'; readonly line: number; readonly reason: string };

/**
 * As CoreDNS does, oddities and all, but for what an `import` brings, which is not looked at here. That a plugin
 * exists and likes its arguments is not checked.
 */
export function parseCorefile(text: string): ParsedCorefile {
  const reader = new Reader(wordsOf(text));
  try {
    while (reader.next()) reader.block();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { kind: 'malformed', line: error.line, reason: `line ${error.line}: ${error.message}` };
  }
  return { kind: 'parsed', corefile: { text, blocks: reader.blocks, imports: reader.imports } };
}

export function printCorefile({ text }: Corefile): string {
  return text;
}

/** Words of plugins; a word with `{$NAME}` may become one. */
const pluginName = /^[a-z][a-z0-9_-]*$/i;

class Malformed extends Error {
  readonly line: number;
  constructor(line: number, expected: string) {
    super(expected);
    this.line = line;
  }
}

/** Its steps are those of Caddy's parser, so that it takes what that takes. */
class Reader {
  readonly blocks: ServerBlock[] = [];
  readonly imports: Directive[] = [];
  readonly #words: readonly Token[];
  readonly #snippets = new Map<string, number>();
  #at = -1;
  /** What was imported may have braces of its own, without which it cannot be told what is missing here. */
  #mayDiffer = false;

  constructor(words: readonly Token[]) {
    this.#words = words;
  }

  next(): boolean {
    if (this.#at + 1 >= this.#words.length) return false;
    this.#at++;
    return true;
  }

  block(): void {
    const keys: Token[] = [];
    const isLast = !this.#readKeys(keys);
    const line = keys[0]?.line ?? this.#word().line;
    const names = keys.map(({ text }) => text.replace(/,$/, ''));
    const [name = ''] = names;
    const isSnippet = !isLast && names.length === 1 && /^\(.*\)$/s.test(name);
    const directives = isLast ? [] : isSnippet ? this.#snippet(name, line) : this.#directives(line);
    if (!isLast || names.length > 0) this.blocks.push({ keys: names, isSnippet, directives, line });
  }

  #word(): Token {
    return this.#words[this.#at] ?? { text: '', start: 0, end: 0, line: 1, endLine: 1 };
  }

  get #isNewLine(): boolean {
    const before = this.#words[this.#at - 1];
    return before === undefined || before.endLine < this.#word().line;
  }

  /** False where the text ends with them. */
  #readKeys(keys: Token[]): boolean {
    for (let expectsAnother = false; ; ) {
      const word = this.#word();
      if (word.text === 'import' && this.#isNewLine) {
        this.imports.push(this.#import());
        if (!this.next()) return false;
        expectsAnother = false;
        continue;
      }
      if (word.text === '{') {
        if (expectsAnother)
          throw new Malformed(word.line, 'another name was expected behind the comma, not "{"');
        return true;
      }
      if (word.text !== '') {
        expectsAnother = word.text.endsWith(',');
        keys.push(word);
      }
      if (!this.next()) {
        if (expectsAnother) throw new Malformed(word.line, 'another name was expected behind the comma');
        return false;
      }
      if (!expectsAnother && this.#isNewLine) return true;
    }
  }

  #snippet(name: string, line: number): readonly Directive[] {
    const first = this.#snippets.get(name);
    if (first !== undefined) throw new Malformed(line, `snippet ${name} is already there, at line ${first}`);
    this.#snippets.set(name, line);
    if (this.#word().text !== '{') throw new Malformed(line, `"{" was expected behind snippet ${name}`);
    this.#at--;
    return this.#lines(draftOf(this.#word()), 'brace').body ?? [];
  }

  #directives(line: number): readonly Directive[] {
    const found: Directive[] = [];
    const hasBrace = this.#word().text === '{';
    if (!hasBrace) this.#at--;
    while (this.next()) {
      const word = this.#word();
      if (word.text === '}') return found;
      if (word.text === 'import') found.push(this.#import());
      else if (pluginName.test(word.text) || environment.test(word.text) || this.#mayDiffer)
        found.push(this.#lines(draftOf(word), 'line'));
      else
        throw new Malformed(
          word.line,
          `the name of a plugin was expected, not "${word.text}" (is "}" missing for line ${line}?)`,
        );
    }
    // Caddy only looks whether the last word is a brace, not whose it is.
    if (hasBrace && this.#word().text !== '}' && !this.#mayDiffer)
      throw new Malformed(
        this.#word().endLine,
        `"}" was expected for the block of line ${line}, not the end`,
      );
    return found;
  }

  #import(): Draft {
    const draft = draftOf(this.#word());
    const { line } = this.#word();
    const isOnLine = () => this.#words[this.#at + 1]?.line === this.#word().endLine;
    if (!isOnLine() || !this.next() || this.#word().text === '')
      throw new Malformed(line, 'a file or a snippet was expected behind "import"');
    addWord(draft, this.#word());
    this.#mayDiffer = true;
    if (isOnLine()) throw new Malformed(line, 'only one file or snippet was expected behind "import"');
    return draft;
  }

  /** Reads on to the end of the line, or just to the brace that ends it; lines in braces belong to it. */
  #lines(root: Draft, until: 'line' | 'brace'): Draft {
    const open: Draft[] = [];
    let line: Draft | undefined = root;
    while (this.next()) {
      const word = this.#word();
      const owner = open.at(-1);
      if (word.text === '{') {
        line ??= begin(owner, word);
        line.body ??= [];
        line.end = word.end;
        open.push(line);
        line = undefined;
      } else if (owner === undefined) {
        if (this.#isNewLine) {
          this.#at--;
          return root;
        }
        if (word.text === '}') throw new Malformed(word.line, 'a new line was expected before "}"');
        addWord(root, word);
      } else if (word.text === '}') {
        line = open.pop();
        owner.end = word.end;
        if (open.length === 0 && until === 'brace') return root;
      } else if (word.text === 'import' && this.#isNewLine && until === 'line') {
        line = this.#import();
        owner.body?.push(line);
      } else if (line === undefined || this.#isNewLine) line = begin(owner, word);
      else addWord(line, word);
    }
    const unclosed = open[0];
    if (unclosed !== undefined && !this.#mayDiffer)
      throw new Malformed(
        this.#word().endLine,
        `"}" was expected for the "{" of line ${unclosed.line}, not the end`,
      );
    return root;
  }
}
