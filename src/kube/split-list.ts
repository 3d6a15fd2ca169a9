import { parseJson } from './failure-reasons.ts';

export interface SplitList {
  /** The document with `items` emptied. */
  readonly envelope: unknown;
  /** Each element of the top-level `items`, as the text it was. */
  readonly items: readonly string[];
  /** All of them, as they stood between the brackets. */
  readonly itemsText: string;
}

/**
 * Takes a JSON list apart without parsing its elements, so that a reader can hold one at a time:
 * twenty thousand EndpointSlices are 40 MB of text, and 100 MB more as one tree of objects, most of it
 * fields that nobody asks for. `undefined` when what surrounds the elements is not JSON; the elements
 * are not looked into. A document without top-level `items` is all envelope.
 */
export function splitList(text: string): SplitList | undefined {
  const array = findItems(text);
  if (array === undefined) return documentOf(text, { items: [], itemsText: '' });
  const { start, end, commas } = array;
  const items: string[] = [];
  let from = start;
  for (const to of [...commas, end]) {
    items.push(text.slice(from, to));
    from = to + 1;
  }
  const itemsText = text.slice(start, end);
  const isEmpty = itemsText.trim() === '';
  return documentOf(text.slice(0, start) + text.slice(end), { items: isEmpty ? [] : items, itemsText });
}

function documentOf(text: string, elements: Omit<SplitList, 'envelope'>): SplitList | undefined {
  const envelope = parseJson(text);
  return envelope === undefined ? undefined : { envelope, ...elements };
}

interface ItemsArray {
  /** Behind the opening bracket. */
  readonly start: number;
  /** Of the closing bracket. */
  readonly end: number;
  /** Between elements. */
  readonly commas: readonly number[];
}

/** One pass over the text that knows strings and nesting, nothing else. */
function findItems(text: string): ItemsArray | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  const commas: number[] = [];
  let start: number | undefined;
  let depth = 0;
  let key = '';
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === quote) {
      const end = endOfString(text, index);
      // In the outer object an array can only follow its key.
      if (depth === 1) key = text.slice(index + 1, end);
      index = end;
    } else if (code === openBrace || code === openBracket) {
      if (depth === 1 && code === openBracket && key === 'items') start = index + 1;
      depth += 1;
    } else if (code === closeBrace || code === closeBracket) {
      depth -= 1;
      if (depth === 1 && start !== undefined) return { start, end: index, commas };
    } else if (code === comma && depth === 2 && start !== undefined) {
      commas.push(index);
    }
  }
  return undefined;
}

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Where the string that opens at `open` closes; the end of the text if it does not. */
function endOfString(text: string, open: number): number {
  let end = text.indexOf('"', open + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, index: number): boolean {
  let first = index;
  while (text.charCodeAt(first - 1) === backslash) first -= 1;
  return (index - first) % 2 === 1;
}
