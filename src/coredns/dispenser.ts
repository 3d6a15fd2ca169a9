import type { Placed } from './expand.ts';

/** A plugin does not start with its words. */
export class Unfit extends Error {
  readonly at: Placed;
  constructor(at: Placed, reason: string) {
    super(reason);
    this.at = at;
  }
}

/** What plugins read their words with; its steps are those of Caddy's dispenser. */
export class Dispenser {
  readonly #words: readonly Placed[];
  #at = -1;

  constructor(words: readonly Placed[]) {
    this.#words = words;
  }

  get last(): Placed | undefined {
    return this.#words[this.#at];
  }

  next(): Placed | undefined {
    if (this.#at + 1 >= this.#words.length) return undefined;
    this.#at++;
    return this.last;
  }

  /** On the same line; of the same file, too. */
  nextOnLine(): Placed | undefined {
    const [word, next] = [this.last, this.#words[this.#at + 1]];
    if (word === undefined || next === undefined) return undefined;
    return next.file === word.file && next.line === word.endLine ? this.next() : undefined;
  }

  /** On the same line, up to what ends them, which is left; a `}` is none of that as a rule. */
  upTo(end: '{' | '}'): readonly Placed[] {
    const found: Placed[] = [];
    for (let next = this.nextOnLine(); next !== undefined; next = this.nextOnLine()) {
      if (next.text === end) {
        this.#at--;
        break;
      }
      found.push(next);
    }
    return found;
  }

  one(behind: Placed, expected: string): Placed {
    const next = this.nextOnLine();
    if (next === undefined) throw new Unfit(behind, `${expected} was expected behind "${behind.text}"`);
    return next;
  }

  /** Whether braces open here; then, the words in them come next. */
  opens(): boolean {
    const brace = this.nextOnLine();
    if (brace === undefined) return false;
    if (brace.text !== '{') this.#at--;
    return brace.text === '{';
  }
}
