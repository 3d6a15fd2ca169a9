import { filesOf } from './import-files.ts';
import { environment, type Token, wordsOf } from './words.ts';

/** A word and where it comes from: undefined the Corefile itself, else the path of the file. */
export interface Placed extends Token {
  readonly file: string | undefined;
}

/** A server block with all imports put in. */
export interface ExpandedBlock {
  readonly keys: readonly Placed[];
  /** By the name of the plugin, all its words one behind the other, as plugins get them. */
  readonly plugins: ReadonlyMap<string, readonly Placed[]>;
  /** The words with which its lines begin, in their order. */
  readonly names: readonly Placed[];
}

export interface Complaint {
  readonly file: string | undefined;
  readonly line: number;
  readonly reason: string;
}

export type Expanded =
  | {
      readonly kind: 'expanded';
      readonly blocks: readonly ExpandedBlock[];
      readonly doubts: readonly Complaint[];
    }
  | ({ readonly kind: 'broken' } & Complaint);

/** Imports can bring themselves in, which CoreDNS only notices when memory ends. */
const mostImports = 2_000;
const mostWords = 1_000_000;

/** Puts in what is imported, step by step as Caddy's parser: also within keys, options, and other imports. */
export function expandImports(text: string, files: ReadonlyMap<string, string>): Expanded {
  const expander = new Expander(
    wordsOf(text).map((word) => ({ ...word, file: undefined })),
    files,
  );
  try {
    while (expander.next()) expander.block();
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const { file, line } = error.at;
    return { kind: 'broken', file, line, reason: error.message };
  }
  return { kind: 'expanded', blocks: expander.blocks, doubts: expander.doubts };
}

function missingBrace(at: Placed, { file, line }: Placed): string {
  const where = file === at.file ? '' : ` of ${file ?? 'the Corefile'}`;
  return `is "}" missing for line ${line}${where}?`;
}

class Broken extends Error {
  readonly at: { readonly file: string | undefined; readonly line: number };
  constructor(at: { readonly file: string | undefined; readonly line: number }, reason: string) {
    super(reason);
    this.at = at;
  }
}

const nowhere: Placed = { text: '', start: 0, end: 0, line: 1, endLine: 1, file: undefined };

class Expander {
  readonly blocks: ExpandedBlock[] = [];
  readonly doubts: Complaint[] = [];
  readonly #files: ReadonlyMap<string, string>;
  readonly #snippets = new Map<string, readonly Placed[]>();
  #words: readonly Placed[];
  #at = -1;
  #imports = 0;

  constructor(words: readonly Placed[], files: ReadonlyMap<string, string>) {
    this.#words = words;
    this.#files = files;
  }

  next(): boolean {
    if (this.#at + 1 >= this.#words.length) return false;
    this.#at++;
    return true;
  }

  block(): void {
    const keys: Placed[] = [];
    const plugins = new Map<string, Placed[]>();
    const names: Placed[] = [];
    if (this.#readKeys(keys)) {
      const [key] = keys;
      if (keys.length === 1 && key !== undefined && /^\(.*\)$/s.test(key.text)) {
        this.#readSnippet(key);
        return;
      }
      this.#readPlugins(plugins, names, keys[0] ?? this.#word());
    }
    // CoreDNS forgets a block without keys once it has read it.
    this.blocks.push({ keys, plugins, names });
  }

  #word(): Placed {
    return this.#words[this.#at] ?? nowhere;
  }

  get #isNewLine(): boolean {
    const before = this.#words[this.#at - 1];
    if (before === undefined) return true;
    return (
      this.#at < this.#words.length &&
      (before.file !== this.#word().file || before.endLine < this.#word().line)
    );
  }

  #readKeys(keys: Placed[]): boolean {
    for (let expectsAnother = false; ; ) {
      const word = this.#word();
      if (word.text === 'import' && this.#isNewLine) {
        this.#import();
        continue;
      }
      if (word.text === '{') {
        if (expectsAnother) throw new Broken(word, 'another name was expected behind the comma, not "{"');
        return true;
      }
      if (word.text !== '') {
        expectsAnother = word.text.endsWith(',');
        keys.push({ ...word, text: word.text.replace(/,$/, '') });
        if (environment.test(word.text))
          this.#doubt(word, `what "${word.text}" stands for is not known here`);
      }
      const hasNext = this.next();
      if (expectsAnother && !hasNext) throw new Broken(word, 'another name was expected behind the comma');
      if (!hasNext) return false;
      if (!expectsAnother && this.#isNewLine) return true;
    }
  }

  #readSnippet(key: Placed): void {
    if (this.#snippets.has(key.text)) throw new Broken(key, `snippet ${key.text} is already there`);
    if (this.#word().text !== '{') throw new Broken(key, `"{" was expected behind snippet ${key.text}`);
    const words: Placed[] = [];
    for (let depth = 1; this.next(); words.push(this.#word())) {
      if (this.#word().text === '}' && --depth === 0) {
        this.#snippets.set(key.text, words);
        return;
      }
      if (this.#word().text === '{') depth++;
    }
    throw new Broken(key, `"}" was expected for snippet ${key.text}, not the end`);
  }

  #readPlugins(plugins: Map<string, Placed[]>, names: Placed[], key: Placed): void {
    const hasBrace = this.#word().text === '{';
    if (!hasBrace) this.#at--;
    while (this.next()) {
      if (this.#word().text === '}') return;
      if (this.#word().text === 'import') {
        this.#import();
        this.#at--;
      } else {
        names.push(this.#word());
        this.#readPlugin(plugins, key);
      }
    }
    if (hasBrace && this.#word().text !== '}')
      throw new Broken(key, '"}" was expected for the block that begins here, not the end');
  }

  #readPlugin(plugins: Map<string, Placed[]>, key: Placed): void {
    const name = this.#word();
    if (environment.test(name.text)) this.#doubt(name, `what "${name.text}" stands for is not known here`);
    else if (!/^[a-z][a-z0-9_-]*$/i.test(name.text))
      throw new Broken(
        name,
        `the name of a plugin was expected, not "${name.text}" (${missingBrace(name, key)})`,
      );
    const words = plugins.get(name.text) ?? [];
    plugins.set(name.text, words);
    words.push(name);
    let depth = 0;
    while (this.next()) {
      const { text } = this.#word();
      if (text === '{') depth++;
      else if (this.#isNewLine && depth === 0) {
        this.#at--;
        return;
      } else if (text === '}' && depth > 0) depth--;
      else if (text === '}') throw new Broken(this.#word(), 'a new line was expected before "}"');
      else if (text === 'import' && this.#isNewLine) {
        this.#import();
        this.#at--;
        continue;
      }
      words.push(this.#word());
    }
    if (depth > 0) throw new Broken(name, `"}" was expected for the "{" of ${name.text}, not the end`);
  }

  /** Puts the words in place of the import; the first of them is the current word then. */
  #import(): void {
    const keyword = this.#word();
    const isOnLine = () => {
      const next = this.#words[this.#at + 1];
      return next !== undefined && next.file === this.#word().file && next.line === this.#word().endLine;
    };
    if (!isOnLine() || !this.next() || this.#word().text === '')
      throw new Broken(keyword, 'a file or a snippet was expected behind "import"');
    const name = this.#word();
    if (isOnLine()) throw new Broken(keyword, 'only one file or snippet was expected behind "import"');
    const words = this.#snippets.get(`(${name.text})`) ?? this.#wordsOfFiles(name);
    this.#imports++;
    if (this.#imports > mostImports || this.#words.length + words.length > mostWords)
      throw new Broken(name, `"import ${name.text}" brings in itself, without end`);
    this.#words = [...this.#words.slice(0, this.#at - 1), ...words, ...this.#words.slice(this.#at + 1)];
    this.#at--;
  }

  #wordsOfFiles(name: Placed): readonly Placed[] {
    if (environment.test(name.text)) {
      this.#doubt(name, `what is imported as "${name.text}" is not known here`);
      return [];
    }
    const found = filesOf(name.text, name.file, this.#files);
    if (found.kind === 'broken') throw new Broken(name, found.reason);
    if (found.kind === 'unknown') {
      this.#doubt(name, found.reason);
      return [];
    }
    return found.files.flatMap(({ path, text }) => wordsOf(text).map((word) => ({ ...word, file: path })));
  }

  #doubt({ file, line }: Placed, reason: string): void {
    this.doubts.push({ file, line, reason });
  }
}
