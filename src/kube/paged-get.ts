import type { Answer, Failure } from './answer.ts';
import { splitList } from './split-list.ts';

const pageSize = 500;

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

  const pages = [firstPage.itemsText];
  let next: string | undefined = firstPage.next;
  while (next !== undefined) {
    const answer: Answer = await get({ limit: pageSize, continue: next });
    if (answer.kind === 'failed') return answer.status === 410 ? getWhole(get) : answer;
    const page = readPage(answer.body);
    if (page === undefined) return notJson;
    pages.push(page.itemsText);
    next = page.next;
  }
  return { kind: 'ok', body: joinPages(firstPage, pages) };
}

async function getWhole(get: (query: PageQuery) => Promise<Answer>): Promise<Answer> {
  const answer = await get({});
  if (answer.kind === 'failed') return answer;
  return readPage(answer.body) === undefined ? notJson : answer;
}

export const notJson: Failure = { kind: 'failed', reason: 'the answer is not JSON', tryNext: false };

interface Page {
  readonly envelope: Readonly<Record<string, unknown>>;
  readonly itemsText: string;
  /** The token that fetches the page after this one. */
  readonly next: string | undefined;
}

/** `undefined` when the text is not JSON; JSON that is no list is a page without a next one. */
function readPage(body: string): Page | undefined {
  const split = splitList(body);
  if (split === undefined) return undefined;
  if (!isRecord(split.envelope)) return { envelope: {}, itemsText: '', next: undefined };
  const metadata = split.envelope['metadata'];
  const token = isRecord(metadata) ? metadata['continue'] : undefined;
  const next = typeof token === 'string' && token !== '' ? token : undefined;
  return { envelope: split.envelope, itemsText: split.itemsText, next };
}

/** Put together in one go: the text can be tens of megabytes, and every copy counts. */
function joinPages(first: Page, pages: readonly string[]): string {
  const { items: _none, metadata, ...rest } = first.envelope;
  const {
    continue: _token,
    remainingItemCount: _count,
    ...listMetadata
  } = isRecord(metadata) ? metadata : {};
  const envelope = JSON.stringify({ ...rest, metadata: listMetadata });
  const separated = pages
    .filter((text) => text.trim() !== '')
    .flatMap((text, index) => (index === 0 ? [text] : [',', text]));
  return [envelope.slice(0, -1), ',"items":[', ...separated, ']}'].join('');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
