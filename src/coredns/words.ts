export interface Word {
  /** Quotes taken away. */
  readonly text: string;
  /** Of the word as written, quotes and all. */
  readonly start: number;
  readonly end: number;
}

/** A word and its line. Braces are words, too, and whether one was quoted makes no difference to CoreDNS. */
export interface Token extends Word {
  /** On which it begins, counted from 1. */
  readonly line: number;
  /** CoreDNS holds that it ends on this one. */
  readonly endLine: number;
}

/** A word with one means what CoreDNS' own environment says, which is not known here. */
export const environment = /\{\$[^}]+\}|\{%.+?%\}/s;

/** What Go takes for a space. */
const space = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/**
 * The words, as Caddy's lexer takes them: only a quote that begins a word quotes, and ends it; within quotes only
 * quotes are escaped; `#` ends a word wherever it stands, but behind one without a space it comments out no more
 * than what reaches to the next space; the last quoted word need not be closed.
 */
export function wordsOf(text: string): readonly Token[] {
  const words: Token[] = [];
  let at = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  for (;;) {
    const word = nextWord(text, at, line);
    if (word === undefined) return words;
    words.push(word.token);
    ({ at, line } = word);
  }
}

interface Read {
  readonly token: Token;
  /** Where to go on. */
  readonly at: number;
  readonly line: number;
}

function nextWord(text: string, from: number, fromLine: number): Read | undefined {
  let [at, line, isComment] = [from, fromLine, false];
  let word = { text: '', start: from, end: from, line };
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (space.test(char)) {
      if (char === '\r') continue;
      if (char === '\n') {
        line++;
        isComment = false;
      }
      if (word.text !== '') return { token: ended(word), at: at + 1, line };
      continue;
    }
    if (char === '#') isComment = true;
    if (isComment) continue;
    if (word.text === '') {
      if (char === '"') return quotedWord(text, at, line);
      word = { text: '', start: at, end: at, line };
    }
    word.text += char;
    word.end = at + 1;
  }
  return word.text === '' ? undefined : { token: ended(word), at, line };
}

function quotedWord(text: string, start: number, fromLine: number): Read | undefined {
  let [at, line, value] = [start + 1, fromLine, ''];
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '"') break;
    if (char === '\\' && at + 1 === text.length) continue;
    const isEscaped = char === '\\';
    const next = isEscaped ? text.charAt(++at) : char;
    if (next === '\n') line++;
    value += isEscaped && next !== '"' ? `\\${next}` : next;
  }
  if (at >= text.length && value === '') return undefined;
  const end = Math.min(at + 1, text.length);
  return { token: ended({ text: value, start, end, line: fromLine }), at: end, line };
}

function ended(word: Omit<Token, 'endLine'>): Token {
  return { ...word, endLine: word.line + word.text.split('\n').length - 1 };
}
