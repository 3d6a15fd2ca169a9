/** A JSON object whose fields are not known yet. */
export type JsonObject = { readonly [field: string]: unknown };

export function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** `{"accept": null}` is `['accept', null]`: nft wraps each statement and expression like this. */
export function unwrap(json: unknown): readonly [name: string, body: unknown] | undefined {
  if (!isObject(json)) return undefined;
  const names = Object.keys(json);
  const [name] = names;
  return name === undefined || names.length > 1 ? undefined : [name, json[name]];
}

export function textOf(json: unknown): string | undefined {
  return typeof json === 'string' ? json : undefined;
}

export function listOf(json: unknown): readonly unknown[] {
  if (json === undefined || json === null) return [];
  return Array.isArray(json) ? json : [json];
}
