import type { Token, Word } from './words.ts';

/** A directive that is being read. */
export interface Draft {
  readonly name: string;
  readonly args: Word[];
  body: Draft[] | undefined;
  readonly line: number;
  readonly start: number;
  end: number;
}

export function draftOf({ text, line, start, end }: Token): Draft {
  return { name: text, args: [], body: undefined, line, start, end };
}

/** Another line between somebody's braces. */
export function begin(owner: Draft | undefined, word: Token): Draft {
  const draft = draftOf(word);
  owner?.body?.push(draft);
  return draft;
}

export function addWord(draft: Draft, { text, start, end }: Token): void {
  draft.args.push({ text, start, end });
  draft.end = end;
}
