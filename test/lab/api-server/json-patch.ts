import { isDeepStrictEqual } from 'node:util';

/** A change of the one kind that RFC 6902 knows: all operations, or none. */
export type Patched =
  | { readonly kind: 'patched'; readonly document: unknown }
  | { readonly kind: 'refused'; readonly reason: string };

/** Applies `test`, `add`, `replace` and `remove` to a copy. */
export function applyJsonPatch(document: unknown, patch: unknown): Patched {
  let current = structuredClone(document);
  if (!Array.isArray(patch)) return refused('a patch is a list of operations');
  for (const operation of patch) {
    if (!isRecord(operation) || typeof operation['path'] !== 'string') return refused('not an operation');
    const outcome = applyOne(current, operation, tokensOf(operation['path']));
    if (outcome.kind === 'refused')
      return refused(`${operation['op']} ${operation['path']}: ${outcome.reason}`);
    current = outcome.document;
  }
  return { kind: 'patched', document: current };
}

function applyOne(
  document: unknown,
  { op, value }: Readonly<Record<string, unknown>>,
  tokens: readonly string[],
): Patched {
  const last = tokens.at(-1);
  if (last === undefined) return refused('the whole document is not to be changed');
  const parent = tokens.slice(0, -1).reduce<unknown>((at, token) => childOf(at, token), document);
  const found = childOf(parent, last);
  if (op === 'test') {
    return isDeepStrictEqual(found, value) ? patched(document) : refused('the value is another one');
  }
  if (Array.isArray(parent)) return changeList(document, parent, { op, value, index: last });
  if (!isRecord(parent)) return refused('its parent is not there');
  if (op !== 'add' && found === undefined) return refused('it is not there');
  if (op === 'remove') delete parent[last];
  else if (op === 'add' || op === 'replace') parent[last] = value;
  else return refused('no such operation');
  return patched(document);
}

function changeList(
  document: unknown,
  list: unknown[],
  { op, value, index }: { readonly op: unknown; readonly value: unknown; readonly index: string },
): Patched {
  const place = index === '-' ? list.length : Number(index);
  const isInside = Number.isInteger(place) && place >= 0 && place < list.length + (op === 'add' ? 1 : 0);
  if (!isInside) return refused('no such element');
  if (op === 'add') list.splice(place, 0, value);
  else if (op === 'replace') list[place] = value;
  else if (op === 'remove') list.splice(place, 1);
  else return refused('no such operation');
  return patched(document);
}

function childOf(parent: unknown, token: string): unknown {
  if (Array.isArray(parent)) return parent[Number(token)];
  return isRecord(parent) && Object.hasOwn(parent, token) ? parent[token] : undefined;
}

function tokensOf(pointer: string): readonly string[] {
  const [, ...tokens] = pointer.split('/');
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function patched(document: unknown): Patched {
  return { kind: 'patched', document };
}

function refused(reason: string): Patched {
  return { kind: 'refused', reason };
}
