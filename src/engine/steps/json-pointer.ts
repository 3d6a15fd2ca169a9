import { isObject } from './json-object.ts';

/** Where in a JSON document something is, or would be (RFC 6901). */
export type Place =
  /** `value` undefined: not there, and an object is there to take it. */
  | { readonly kind: 'member'; readonly value: unknown }
  /** Of a list; an index moves when the list changes, so elements are replaced and never added or removed. */
  | { readonly kind: 'element'; readonly value: unknown }
  /** `missing`: the pointer of the first part that is not there, or is neither object nor list. */
  | { readonly kind: 'nowhere'; readonly missing: string };

export function findPlace(document: unknown, pointer: string): Place {
  const tokens = pointer.split('/').slice(1);
  let place: Place = { kind: 'member', value: document };
  for (const [index, token] of tokens.entries()) {
    const parent: unknown = place.value;
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(parent)) {
      place = { kind: 'element', value: /^(0|[1-9]\d*)$/.test(name) ? parent[Number(name)] : undefined };
    } else if (isObject(parent)) {
      place = { kind: 'member', value: Object.hasOwn(parent, name) ? parent[name] : undefined };
    } else {
      return { kind: 'nowhere', missing: ['', ...tokens.slice(0, index)].join('/') };
    }
  }
  return place;
}
