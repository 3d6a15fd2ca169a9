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

export interface Word {
  /** Quotes taken away. */
  readonly text: string;
  /** Of the word as written, quotes and all. */
  readonly start: number;
  readonly end: number;
}

export type ParsedCorefile =
  | { readonly kind: 'parsed'; readonly corefile: Corefile }
  /** `reason`: `line 7: ...`, what was expected. */
  | { readonly kind: 'malformed'; readonly line: number; readonly reason: string };

export function parseCorefile(_text: string): ParsedCorefile {
  throw new Error('not built yet');
}

export function printCorefile({ text }: Corefile): string {
  return text;
}
