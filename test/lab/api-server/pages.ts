/** The part of a list that `limit` and `continue` ask for; anything else whole. */
export function pageOf(document: unknown, query: URLSearchParams, resourceVersion: string): unknown {
  if (!isList(document)) return document;
  const start = Number(query.get('continue') ?? 0);
  const limit = Number(query.get('limit') ?? 0);
  const end = limit === 0 ? document.items.length : start + limit;
  const left = Math.max(document.items.length - end, 0);
  const more = left === 0 ? {} : { continue: String(end), remainingItemCount: left };
  return {
    ...document,
    metadata: { resourceVersion, ...more },
    items: document.items.slice(start, end),
  };
}

function isList(document: unknown): document is { readonly items: readonly unknown[] } {
  return (
    typeof document === 'object' && document !== null && 'items' in document && Array.isArray(document.items)
  );
}
