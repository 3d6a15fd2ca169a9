import type { Answer, Failure } from './answer.ts';
import { parseJson } from './failure-reasons.ts';

export const pageSize = 500;

export interface PageQuery {
  readonly limit?: number;
  readonly continue?: string;
}

/**
 * GET of a list in pages, so that thousands of objects cost the server no single huge answer, put
 * together again as one list in the server's own words. An object, or a list that fits one page, is
 * passed on untouched. A list that changed too much while it was read (410 on `continue`) is asked for
 * once more, in one piece.
 */
export async function getPaged(get: (query: PageQuery) => Promise<Answer>): Promise<Answer> {
  const first = await get({ limit: pageSize });
  if (first.kind === 'failed') return first;
  const firstPage = readPage(first.body);
  if (firstPage === undefined) return notJson;
  if (firstPage.next === undefined) return first;

  const items = [itemsText(firstPage)];
  let next: string | undefined = firstPage.next;
  while (next !== undefined) {
    const answer: Answer = await get({ limit: pageSize, continue: next });
    if (answer.kind === 'failed') return answer.status === 410 ? getWhole(get) : answer;
    const page = readPage(answer.body);
    if (page === undefined) return notJson;
    items.push(itemsText(page));
    next = page.next;
  }
  return { kind: 'ok', body: joinPages(firstPage, items) };
}

async function getWhole(get: (query: PageQuery) => Promise<Answer>): Promise<Answer> {
  const answer = await get({});
  if (answer.kind === 'failed') return answer;
  return readPage(answer.body) === undefined ? notJson : answer;
}

export const notJson: Failure = { kind: 'failed', reason: 'the answer is not JSON', tryNext: false };

interface Page {
  readonly envelope: Readonly<Record<string, unknown>>;
  readonly items: readonly unknown[];
  /** The token that fetches the page after this one. */
  readonly next: string | undefined;
}

/** `undefined` when the text is not JSON; JSON that is no list is a page without a next one. */
function readPage(body: string): Page | undefined {
  const parsed = parseJson(body);
  if (parsed === undefined) return undefined;
  if (!isRecord(parsed)) return { envelope: {}, items: [], next: undefined };
  const metadata = isRecord(parsed['metadata']) ? parsed['metadata'] : {};
  const items = Array.isArray(parsed['items']) ? parsed['items'] : [];
  const token = metadata['continue'];
  return { envelope: parsed, items, next: typeof token === 'string' && token !== '' ? token : undefined };
}

/** Text takes a fraction of the memory of parsed objects, and it is text that is handed on. */
function itemsText(page: Page): string {
  return JSON.stringify(page.items).slice(1, -1);
}

function joinPages(first: Page, items: readonly string[]): string {
  const { items: _items, metadata, ...rest } = first.envelope;
  const { continue: _token, remainingItemCount: _count, ...listMetadata } = isRecord(metadata) ? metadata : {};
  const envelope = JSON.stringify({ ...rest, metadata: listMetadata });
  return `${envelope.slice(0, -1)},"items":[${items.filter((text) => text !== '').join(',')}]}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
